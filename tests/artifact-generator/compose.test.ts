import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createArtifacts } from '#adapters/blob/artifacts.ts';
import { readTar } from '#adapters/blob/read-tar.ts';
import { createCompose } from '#adapters/compose/compose.ts';
import { parseYaml } from '#adapters/kustomize/off-thread.ts';
import { type CopyRule, readCopyRule } from '#core/compose.ts';
import { hasGlob, isGlobMatch, parseGlob } from '#core/glob.ts';
import { systemClock } from '#core/time.ts';

const signal = AbortSignal.timeout(60_000);
let folder = '';
let digest = '';
let made = 0;
const store = () => createArtifacts({ dir: join(folder, 'store'), clock: systemClock });
const compose = () => createCompose({ store: store(), workDir: join(folder, 'work'), readTar, parseYaml });

async function putFiles(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const list: { path: string; file: string }[] = [];
  for (const [path, content] of Object.entries(files)) {
    made += 1;
    const file = join(folder, `file-${made}`);
    await writeFile(file, content);
    list.push({ path, file });
  }
  return (await store().putFiles({ files: list, maxBytes: 1_000_000, maxEntries: 1_000 }, signal)).digest;
}

async function tarball(files: Readonly<Record<string, string>>, link = false): Promise<Uint8Array> {
  const from = await mkdtemp(join(folder, 'tar-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(from, name), text);
  const file = join(from, '..', `tar-${made}.tgz`);
  made += 1;
  await create({ gzip: true, cwd: from, file, ...(link ? { prefix: '../../..', preservePaths: true } : {}) }, Object.keys(files));
  return readFile(file);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-compose-'));
  digest = await putFiles({
    'README.md': 'readme',
    'app/base/deploy.yaml': 'kind: Deployment',
    'app/base/notes.md': 'notes',
    'app/prod/values.yaml': 'image: {tag: "2", pull: Always}\nlist: [3]\n',
    'chart/values.yaml': 'image: {tag: "1", name: web}\nlist: [1, 2]\n---\nextra: yes\n',
    'chart/broken.yaml': 'secret: {{ oops',
    'pack/one.tgz': await tarball({ 'a.yaml': 'a: 1', 'b.yaml': 'b: 2' }),
    'pack/two.txt': 'no archive',
    'pack/evil.tar.gz': await tarball({ 'x.yaml': 'x' }, true),
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function rule(from: string, to: string, more: Partial<Parameters<typeof readCopyRule>[0]> = {}): CopyRule {
  const read = readCopyRule({ from, to, ...more });
  if (typeof read === 'string') throw new Error(read);
  return read;
}

async function build(...rules: readonly CopyRule[]): Promise<Readonly<Record<string, string>> | string> {
  const [result] = await compose().build([{ alias: 'a', digest }], [{ name: 'out', rules }], signal);
  if (result === undefined || result.is === 'refused') return result?.message ?? 'nothing';
  const into = await mkdtemp(join(folder, 'out-'));
  await store().unpackTo(result.artifact.digest, into, { maxBytes: 1_000_000, maxEntries: 1_000 }, signal);
  const files: Record<string, string> = {};
  for (const entry of await readdir(into, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files[path.slice(into.length + 1)] = await readFile(path, 'utf8');
    }
  return files;
}

const copies: readonly (readonly [what: string, rules: () => readonly CopyRule[], paths: readonly string[]])[] = [
  ['a folder is copied as itself', () => [rule('@a/app/base/', '@artifact/')], ['base/deploy.yaml', 'base/notes.md']],
  ['a folder below a path', () => [rule('@a/app/base', '@artifact/x')], ['x/base/deploy.yaml', 'x/base/notes.md']],
  ['the content of a folder', () => [rule('@a/app/base/**', '@artifact/x/')], ['x/deploy.yaml', 'x/notes.md']],
  ['a file under another name', () => [rule('@a/README.md', '@artifact/docs.md')], ['docs.md']],
  ['a file into a folder', () => [rule('@a/README.md', '@artifact/docs/')], ['docs/README.md']],
  [
    'a file into a folder that is there already',
    () => [rule('@a/app/base', '@artifact/x'), rule('@a/README.md', '@artifact/x')],
    ['x/README.md', 'x/base/deploy.yaml', 'x/base/notes.md'],
  ],
  ['a pattern keeps the path', () => [rule('@a/app/*/*.yaml', '@artifact/')], ['app/base/deploy.yaml', 'app/prod/values.yaml']],
  ['any folders', () => [rule('@a/**/values.yaml', '@artifact/')], ['app/prod/values.yaml', 'chart/values.yaml']],
  [
    'a matched folder comes whole',
    () => [rule('@a/ap?', '@artifact/')],
    ['app/base/deploy.yaml', 'app/base/notes.md', 'app/prod/values.yaml'],
  ],
  ['names are excluded at any depth', () => [rule('@a/app/**', '@artifact/', { exclude: ['*.md', 'prod/**'] })], ['base/deploy.yaml']],
  ['an archive is unpacked', () => [rule('@a/pack/one.tgz', '@artifact/crds', { strategy: 'Extract' })], ['crds/a.yaml', 'crds/b.yaml']],
  [
    'a pattern of archives skips what is none',
    () => [rule('@a/pack/{one.tgz,*.txt}', '@artifact/', { strategy: 'Extract' })],
    ['a.yaml', 'b.yaml'],
  ],
];
test.each(copies)('%s', async (_what, rules, paths) => {
  const files = await build(...rules());
  expect(typeof files === 'string' ? files : Object.keys(files).sort()).toEqual(paths);
});

test('Merge lays maps over each other and replaces lists; documents of one file are merged first', async () => {
  const files = await build(
    rule('@a/chart/values.yaml', '@artifact/values.yaml'),
    rule('@a/app/prod/values.yaml', '@artifact/values.yaml', { strategy: 'Merge' }),
  );
  const text = typeof files === 'string' ? files : (files['values.yaml'] ?? '');
  expect(JSON.parse(text)).toEqual({ image: { tag: '2', name: 'web', pull: 'Always' }, list: [3], extra: true });
});

test('the same content gives the same digest, and a later rule wins', async () => {
  const twice = [0, 1].map(() =>
    compose().build([{ alias: 'a', digest }], [{ name: 'o', rules: [rule('@a/app/**', '@artifact/')] }], signal),
  );
  const [first, second] = await Promise.all(twice);
  expect(first).toEqual(second);
  expect(await build(rule('@a/README.md', '@artifact/x'), rule('@a/pack/two.txt', '@artifact/x'))).toEqual({ x: 'no archive' });
  expect(await readdir(join(folder, 'work'))).toEqual([]);
});

const refused: readonly (readonly [what: string, rules: () => readonly CopyRule[], message: RegExp])[] = [
  ['a path that is not there', () => [rule('@a/nothing', '@artifact/')], /source 'nothing' does not exist/],
  ['a pattern without a match', () => [rule('@a/*.json', '@artifact/')], /no files match pattern '\*\.json'/],
  ['everything excluded', () => [rule('@a/*.md', '@artifact/', { exclude: ['README.*'] })], /were excluded/],
  ['an unknown alias', () => [rule('@b/x', '@artifact/')], /source alias 'b' not found/],
  ['Extract of a folder', () => [rule('@a/app', '@artifact/', { strategy: 'Extract' })], /not supported for directories/],
  ['Extract of a plain file', () => [rule('@a/README.md', '@artifact/', { strategy: 'Extract' })], /requires tarball file/],
  ['an archive that climbs', () => [rule('@a/pack/evil.tar.gz', '@artifact/', { strategy: 'Extract' })], /is not allowed/],
  [
    'YAML that is none, without a word of it',
    () => [rule('@a/chart/values.yaml', '@artifact/v'), rule('@a/chart/broken.yaml', '@artifact/v', { strategy: 'Merge' })],
    /^a file that is merged into "v" is no YAML$/,
  ],
  [
    'a file where a folder is',
    () => [rule('@a/app', '@artifact/'), rule('@a/app/base', '@artifact/app/base/deploy.yaml')],
    /is a file and a folder/,
  ],
];
test.each(refused)('%s is refused', async (_what, rules, message) => {
  expect(await build(...rules())).toMatch(message);
});

test.each([
  ['@a/../x', '@artifact/', /must stay within/],
  ['@a//etc/passwd', '@artifact/', /must stay within/],
  ['@a/x', '@artifact/../y', /must not hold/],
  ['@a/x', '@artifact//y', /must not hold/],
  ['@a/x', '@other/y', /must start with '@artifact/],
  ['@a/[x', '@artifact/', /a \[ has no \]/],
  [`@a/*{${','.repeat(21)}}`, '@artifact/', /at most 20/],
  [`@a/*${'{a,b}'.repeat(12)}`, '@artifact/', /more than 256 alternatives/],
] as const)('the rule from %s to %s is refused before anything is read', (from, to, message) => {
  expect(readCopyRule({ from, to })).toMatch(message);
});

test.each([
  ['*.yaml', 'a.yaml', true],
  ['*.yaml', 'b/a.yaml', false],
  ['**/a.yaml', 'a.yaml', true],
  ['**/a.yaml', 'x/y/a.yaml', true],
  ['x/**', 'x', true],
  ['x/**/z', 'x/z', true],
  ['x/**/z', 'x/a/b/z', true],
  ['x/**/z', 'y/z', false],
  ['[a-c]?[!x]', 'bqy', true],
  ['[a-c]?[!x]', 'bqx', false],
  ['{a,b{c,d}}.txt', 'bd.txt', true],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'aab', false],
  [`${'*a'.repeat(60)}b`, 'a'.repeat(250), false],
] as const)('the pattern %s and the path %s: %s', (pattern, path, expected) => {
  const glob = parseGlob(pattern);
  expect(typeof glob === 'string' ? glob : isGlobMatch(glob, path)).toBe(expected);
  expect(hasGlob('plain/path')).toBe(false);
});

test('patterns over many files end at a limit', async () => {
  const many = await putFiles(Object.fromEntries(Array.from({ length: 400 }, (_one, index) => [`d${index % 20}/f${index}`, 'x'])));
  const exclude = Array.from({ length: 100 }, () => `${'{a,b}'.repeat(8)}*`);
  const [result] = await compose().build(
    [{ alias: 'a', digest: many }],
    [{ name: 'o', rules: [rule('@a/**', '@artifact/', { exclude })] }],
    signal,
  );
  expect(result).toMatchObject({ is: 'refused', message: expect.stringContaining('compared with too many files') });
});
