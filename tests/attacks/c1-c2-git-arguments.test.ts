import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isCommitHash, isFullRefName, isShortRefName, parseGitUrl } from '#core/git-values.ts';
import { resource } from '#kinds/git-repository/resource.ts';
import { startGitServer, type TestGitServer } from '#tests/git/git-server.ts';
import { type GitShim, openGitShim } from '#tests/git/shim.ts';
import { limits, NOBODY, openTenantGit, signal, type TenantGit } from '#tests/git/tenant-git.ts';

/** C1, C2: options smuggled in through URL, branch, tag, commit, reference. Observer X: a stand-in for git writes down every argument. */

const run = promisify(execFile);
const SHAPES = [
  '--upload-pack=touch /tmp/canary',
  '--UPLOAD-PACK=x',
  '--upload-pac=x',
  '-u',
  '-uX',
  '-c',
  '-ccore.x=y',
  '--config=core.x',
  '--exec=x',
  '--receive-pack=x',
  '--output=/tmp/canary',
  '-o/tmp/canary',
  '--template=/tmp',
  '--end-of-options',
  '--',
  '-',
  '--no-index',
  '--git-dir=/tmp',
  '--work-tree=/',
  '--namespace=x',
  '--help',
  '--version',
  '--depth=1',
  '--server-option=x',
  '--remote=ext::x',
  '--add-file=/etc/passwd',
  '--format=zip',
  '@{-1}',
  '@{u}',
  'HEAD@{1}',
  'a..b',
  'a...b',
  '^a',
  'a^',
  'a~1',
  'a:b',
  ':/x',
  'a b',
  "a';touch x;'",
  '$(touch x)',
  '`x`',
  'a\nb',
  'a\0b',
  'a\rb',
  '\t',
  '../x',
  'a/../b',
  '/abs',
  'a//b',
  '.hidden',
  'a/.b',
  'a.lock',
  'a.lock/b',
  'x/',
  'x.',
  'a[b',
  'a?b',
  'a*b',
  'a\\b',
  '@',
  '',
  '\u007f',
  '\u2028',
  '\ud800',
] as const;

let server: TestGitServer;
let shim: GitShim;
let tenant: TenantGit;
let commit: string;

beforeAll(async () => {
  server = await startGitServer();
  shim = await openGitShim();
  tenant = await openTenantGit({ path: shim.path });
  commit = await (await server.repository('c1.git')).commit('main', { a: 'a' });
});
afterAll(async () => {
  await server.close();
  await shim.close();
  await tenant.close();
});

test.each(SHAPES)('shape %j is refused by the API in every field', (shape) => {
  for (const [field, spec] of [
    ['spec.url', { url: shape }],
    ['spec.ref.branch', { url: 'https://h/x', ref: { branch: shape } }],
    ['spec.ref.tag', { url: 'https://h/x', ref: { tag: shape } }],
    ['spec.ref.name', { url: 'https://h/x', ref: { name: shape } }],
    ['spec.ref.commit', { url: 'https://h/x', ref: { commit: shape } }],
  ] as const) {
    const found = resource.validate?.({ spec }) ?? [];
    // The empty text means "not set" in ref, as in Flux.
    const isAbsent = shape === '' && field !== 'spec.url';
    const isBranch = (field === 'spec.ref.branch' || field === 'spec.ref.tag') && isShortRefName(shape);
    expect(
      found.map((one) => one.field),
      `${field} ${shape}`,
    ).toEqual(isAbsent || isBranch ? [] : [field]);
  }
});

test('the only shapes that a branch may have are plain text to git as well', async () => {
  const accepted = SHAPES.filter((shape) => isShortRefName(shape));
  expect(accepted).toEqual(['`x`', '\u2028']);
  for (const shape of accepted) expect((await run('git', ['check-ref-format', '--branch', shape])).stdout).toBe(`${shape}\n`);
});

test('shape: nothing hostile starts git, and what starts git is a value behind --end-of-options', async () => {
  const remote = { url: server.url('c1.git'), credential: NOBODY, caPem: server.caPem } as const;
  const before = (await shim.calls()).length;
  for (const shape of SHAPES) {
    await expect(tenant.git.look({ ...remote, url: shape }, limits, signal)).rejects.toMatchObject({ code: 'gitFailed' });
    await expect(
      tenant.git.snapshot(remote, { commit: shape, advertised: [{ name: 'refs/heads/main', commit }], within: null }, limits, signal),
    ).rejects.toMatchObject({ code: 'gitFailed' });
  }
  const fetched = ['ls-remote', 'fetch', 'archive'];
  expect((await shim.calls()).slice(before).filter(({ words }) => fetched.includes(words[0] ?? ''))).toEqual([]);
  for (const shape of ['refs/heads/--upload-pack=x', 'refs/heads/a..b', '--upload-pack=x', 'refs/heads/a:refs/heads/b']) {
    await expect(
      tenant.git.snapshot(
        remote,
        { commit: '1'.repeat(40), advertised: [{ name: shape, commit: '1'.repeat(40) }], within: null },
        limits,
        signal,
      ),
    ).rejects.toMatchObject({ code: 'gitFailed' });
  }
  for (const { words } of (await shim.calls()).slice(before)) {
    const guard = words.indexOf('--end-of-options');
    for (const shape of SHAPES.filter((one) => one.length > 2 && one !== '--end-of-options'))
      expect(words.slice(0, guard < 0 ? undefined : guard)).not.toContain(shape);
  }
});

test('benign twin: the same calls with plain values work, and each value is one argument of its own', async () => {
  const remote = { url: server.url('c1.git'), credential: NOBODY, caPem: server.caPem } as const;
  const before = (await shim.calls()).length;
  const advertised = await tenant.git.look(remote, limits, signal);
  await (await tenant.git.snapshot(remote, { commit, advertised, within: 'refs/heads/main' }, limits, signal)).dispose();
  const calls = (await shim.calls()).slice(before);
  expect(calls.find(({ words }) => words[0] === 'ls-remote')?.words).toEqual([
    'ls-remote',
    '--quiet',
    '--end-of-options',
    server.url('c1.git'),
  ]);
  expect(calls.find(({ words }) => words[0] === 'fetch')?.words.slice(-3)).toEqual([
    '--end-of-options',
    server.url('c1.git'),
    expect.stringMatching(/^\+refs\/heads\/main:refs\/weir\/[0-9a-f]{40}$/),
  ]);
});

test('every environment is ours alone', async () => {
  for (const { environment } of await shim.calls()) {
    const names = Object.keys(environment).filter(
      (name) => !/^GIT_CONFIG_(KEY|VALUE)_\d+$/.test(name) && !['PWD', '_', 'OLDPWD', 'SHLVL'].includes(name),
    );
    // simple-git adds GIT_TEST_DISALLOW_ABBREVIATED_OPTIONS, which makes git refuse shortened options.
    expect(names.filter((name) => name !== 'GIT_DIR').sort()).toEqual(
      [
        'GIT_ALLOW_PROTOCOL',
        'GIT_ATTR_NOSYSTEM',
        'GIT_CONFIG_COUNT',
        'GIT_CONFIG_GLOBAL',
        'GIT_CONFIG_NOSYSTEM',
        'GIT_TERMINAL_PROMPT',
        'GIT_TEST_DISALLOW_ABBREVIATED_OPTIONS',
        'HOME',
        'LC_ALL',
        'PATH',
        'XDG_CONFIG_HOME',
      ].sort(),
    );
  }
});

const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '-',
      '-',
      '.',
      '/',
      '@',
      '{',
      '}',
      '~',
      '^',
      ':',
      '?',
      '*',
      '[',
      '\\',
      ' ',
      '\n',
      '\0',
      '=',
      "'",
      '$',
      'a',
      'b',
      '.lock',
      '..',
      'é',
      '\u2028',
    ),
    fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
  ),
  maxLength: 24,
});
const SEED = 20_261_124;

test('differential: every branch the grammar accepts, real git takes as a branch name', async () => {
  const accepted = fc.sample(nasty, { numRuns: 4_000, seed: SEED }).filter((text) => isShortRefName(text));
  expect(accepted.length).toBeGreaterThan(100);
  for (const text of accepted.slice(0, 250)) {
    await run('git', ['check-ref-format', `refs/heads/${text}`]);
    expect((await run('git', ['check-ref-format', '--branch', text])).stdout).toBe(`${text}\n`);
    expect(isFullRefName(`refs/heads/${text}`)).toBe(true);
  }
});

test('no accepted value of 20,000 random ones starts with a dash or holds a control character', () => {
  for (const text of fc.sample(nasty, { numRuns: 20_000, seed: SEED + 1 })) {
    const url = parseGitUrl(`https://${text}`);
    const accepted = [isShortRefName(text), isFullRefName(text), isCommitHash(text)].some(Boolean);
    if (accepted) expect(text).not.toMatch(/^-|[\u0000-\u001f\u007f]/);
    if (typeof url !== 'string') expect(url.href).toMatch(/^https:\/\/[^-\s][^\s\\]*$/);
  }
});
