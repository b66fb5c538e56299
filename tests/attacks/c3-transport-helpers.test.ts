import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gitEnvironment } from '#adapters/git/environment.ts';
import { runGit } from '#adapters/git/run.ts';
import { startGitServer, type TestGitServer } from '#tests/git/git-server.ts';
import { limits, NOBODY, openTenantGit, signal, type TenantGit } from '#tests/git/tenant-git.ts';

/** C3, C5: transport helpers that run commands or read the disk, named in a URL or switched on by what a repository brings along. */

let server: TestGitServer;
let tenant: TenantGit;
let tripwire: string;

beforeAll(async () => {
  server = await startGitServer();
  tenant = await openTenantGit();
  tripwire = join(tenant.root, 'canary');
});
afterAll(async () => {
  await server.close();
  await tenant.close();
});

const tripped = (): Promise<boolean> =>
  access(tripwire).then(
    () => true,
    () => false,
  );

const helpers = (): readonly string[] => [
  `ext::touch ${tripwire}`,
  `ext::sh -c "touch ${tripwire}"`,
  'fd::17',
  `file://${tenant.root}`,
  tenant.root,
  `${tenant.root}/mirrors/x`,
  '../x',
  'git://localhost/x',
  'git+ssh://localhost/x',
  'ssh+git://localhost/x',
  'rsync://localhost/x',
  'ftp://localhost/x',
  'ftps://localhost/x',
  'transport::https://localhost/x',
  'hg::x',
  'localhost:x',
  'git@localhost:x',
  'http::https://localhost/x',
  'https::x',
  'bundle://x',
  'HTTPS://localhost/x',
  ' https://localhost/x',
];

test('every helper and path is refused before git starts', async () => {
  for (const url of helpers()) {
    await expect(tenant.git.look({ url, credential: NOBODY, caPem: null }, limits, signal), url).rejects.toMatchObject({
      code: 'gitFailed',
    });
  }
  expect(await tripped()).toBe(false);
});

test('without the grammar, the environment alone still refuses them', async () => {
  const environment = gitEnvironment({
    path: process.env['PATH'] ?? '',
    home: tenant.root,
    gitDir: null,
    allowHttp: false,
    lowSpeedSeconds: 5,
    remote: null,
  });
  for (const url of helpers().filter((one) => /^(ext|fd|file|git|rsync|ftp|ftps|hg|http|transport)(::|:\/\/)|^\//.test(one))) {
    const asked = runGit({
      command: { words: ['ls-remote', '--end-of-options', url], expected: [] },
      launcher: tenant.options.launcher,
      environment,
      directory: tenant.root,
      timeoutMs: 10_000,
      givenMs: 10_000,
      maxOutputBytes: 10_000,
      secrets: [],
      signal,
    });
    await expect(asked, url).rejects.toMatchObject({
      code: 'gitFailed',
      message: expect.stringMatching(/not allowed|not supported|no longer supported|invalid|unable to find remote helper|does not appear/i),
    });
  }
  expect(await tripped()).toBe(false);
});

test('what a tree brings along runs nothing: settings, hooks, filters, submodules', async () => {
  const repository = await server.repository('poison.git');
  const evil = `touch ${tripwire}`;
  const commit = await repository.commit('main', {
    config: `[core]\n\tfsmonitor = ${evil}\n\thooksPath = hooks\n[protocol "ext"]\n\tallow = always\n`,
    '.gitconfig': `[core]\n\tsshCommand = ${evil}\n`,
    'hooks/post-checkout': `#!/bin/sh\n${evil}\n`,
    '.gitmodules': `[submodule "x"]\n\tpath = x\n\turl = ext::${evil}\n`,
    '.gitattributes': '* filter=evil diff=evil merge=evil\n',
    'a.yaml': 'a',
  });
  const remote = { url: server.url('poison.git'), credential: NOBODY, caPem: server.caPem } as const;
  const advertised = await tenant.git.look(remote, limits, signal);
  await (await tenant.git.snapshot(remote, { commit, advertised, within: null }, limits, signal)).dispose();
  expect(await tripped()).toBe(false);
});

test('benign twin: the https URL of the same server works', async () => {
  await (await server.repository('plain.git')).commit('main', { a: 'a' });
  expect((await tenant.git.look({ url: server.url('plain.git'), credential: NOBODY, caPem: server.caPem }, limits, signal)).length).toBe(2);
});
