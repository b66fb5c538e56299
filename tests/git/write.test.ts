import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createGitWriter } from '#adapters/git/write.ts';
import type { Decision, GitWriter, TextFile, WriteWant } from '#core/git-writer.ts';
import type { GitRemote } from '#core/ports.ts';
import { startGitServer, type TestGitServer, type TestRepository } from './git-server.ts';
import { openTenantGit, signal, TENANT_B, type TenantGit, writing } from './tenant-git.ts';

let server: TestGitServer;
let tenant: TenantGit;
let other: TenantGit;
let writer: GitWriter;
const limits = { timeoutMs: 30_000 } as const;
const ID = 'ab'.repeat(32);
const MARK = 'MARK';

beforeAll(async () => {
  server = await startGitServer();
  tenant = await openTenantGit();
  other = await openTenantGit({ tenantId: TENANT_B, root: tenant.root });
  writer = createGitWriter(writing(tenant));
});
afterAll(async () => {
  await server.close();
  await tenant.close();
});
beforeEach(() => {
  server.intercept.handle = null;
});

async function repository(name: string, files: Readonly<Record<string, string>>): Promise<TestRepository> {
  const made = await server.repository(name);
  await made.git('-C', made.directory, 'config', 'http.receivepack', 'true');
  await made.commit('main', files);
  return made;
}

const remoteOf = (name: string): GitRemote => ({ url: server.url(name), credential: { is: 'none' }, caPem: server.caPem });

const append = (line: string) => (files: readonly TextFile[]) =>
  files.filter(({ text }) => !text.includes(line)).map(({ path, text }) => ({ path, text: `${text}${line}\n` }));

const decided = (files: readonly TextFile[], message: string): Decision => ({
  updateId: ID,
  plan: files.length === 0 ? null : { files, message },
});

function want(part: Partial<WriteWant> & Readonly<{ line?: string }> = {}): WriteWant {
  const { line = 'added', ...rest } = part;
  return {
    from: { at: 'reference', name: 'refs/heads/main' },
    signing: null,
    branch: 'main',
    alsoTo: [],
    options: {},
    folder: '',
    holding: MARK,
    accepts: (path) => path.endsWith('.yaml'),
    author: { name: 'Weir Bot', email: 'bot@weir.test' },
    edit: async (files) => decided(append(line)(files), `Add ${line}\n\nBecause.\n`),
    ...rest,
  };
}

const show = (made: TestRepository, ref: string, path: string): Promise<string> => made.git('-C', made.directory, 'show', `${ref}:${path}`);
const count = async (made: TestRepository, range: string): Promise<number> =>
  Number(await made.git('-C', made.directory, 'rev-list', '--count', range));

test('one commit on top of the branch changes what was decided and nothing else', async () => {
  const made = await repository('write.git', {
    'a/x.yaml': `${MARK}\n`,
    'a/y.yaml': 'no\n',
    'a/z.txt': `${MARK}\n`,
    'b/x.yaml': `${MARK}\n`,
    'a/link.yaml': 'link:x.yaml',
    'a/run.yaml': `#!${MARK}\n`,
  });
  await made.git('update-index', '--chmod=+x', 'a/run.yaml');
  await made.git('commit', '-q', '-m', 'executable');
  await made.git('push', '-q', made.directory, 'main:main');
  const before = await made.git('rev-parse', 'HEAD');
  const seen: string[] = [];
  const written = await writer.write(
    remoteOf('write.git'),
    want({
      folder: 'a',
      edit: async (files) => {
        seen.push(...files.map(({ path }) => path));
        return decided(append('added')(files), 'Add it\n');
      },
    }),
    limits,
    signal,
  );
  expect(seen.toSorted()).toEqual(['a/run.yaml', 'a/x.yaml']);
  if (written.is !== 'pushed') throw new Error('it was not pushed');
  expect(written.head).toBe(written.commit);
  expect(await made.git('-C', made.directory, 'rev-parse', 'main', 'main~1')).toBe(`${written.commit}\n${before}`);
  await made.git('-C', made.directory, 'fsck', '--strict');
  expect(await made.git('-C', made.directory, 'diff-tree', '-r', '--name-only', before, written.commit)).toBe('a/run.yaml\na/x.yaml');
  expect(await made.git('-C', made.directory, 'ls-tree', written.commit, 'a/run.yaml')).toMatch(/^100755 /);
  expect(await show(made, 'main', 'a/x.yaml')).toBe(`${MARK}\nadded`);
  expect(await made.git('-C', made.directory, 'log', '-1', '--format=%an <%ae> %cn|%P|%B', 'main')).toBe(
    `Weir Bot <bot@weir.test> Weir Bot|${before}|Add it\n\nWeir-Update: ${ID}`,
  );
});

test('nothing to change makes no commit, and the one that carries the decision is known by its trailer', async () => {
  const made = await repository('again.git', { 'x.yaml': `${MARK}\n` });
  const first = await writer.write(remoteOf('again.git'), want(), limits, signal);
  await made.git('fetch', '-q', made.directory, 'main');
  await made.git('reset', '-q', '--hard', 'FETCH_HEAD');
  const human = await made.commit('main', { 'human.txt': '1' });
  const second = await writer.write(remoteOf('again.git'), want(), limits, signal);
  expect(second).toEqual({ is: 'unchanged', head: human, commit: first.is === 'pushed' ? first.commit : '' });
  expect(
    await writer.write(remoteOf('again.git'), want({ edit: async () => ({ updateId: 'cd'.repeat(32), plan: null }) }), limits, signal),
  ).toEqual({
    is: 'unchanged',
    head: human,
    commit: null,
  });
  expect(
    await writer.write(remoteOf('again.git'), want({ edit: async () => ({ updateId: ID, plan: null }) }), limits, signal),
  ).toMatchObject({ is: 'unchanged' });
  expect(await count(made, 'main')).toBe(3);
});

test('fault 33: a human who is faster loses nothing, and the decision is made anew on their commit', async () => {
  const made = await repository('race.git', { 'x.yaml': `${MARK}\n` });
  let tries = 0;
  const written = await writer.write(
    remoteOf('race.git'),
    want({
      edit: async (files) => {
        tries += 1;
        if (tries <= 3) await made.commit('main', { 'x.yaml': `${MARK}\nhuman ${tries}\n` });
        return decided(append('added')(files), 'm');
      },
    }),
    limits,
    signal,
  );
  expect(written.is).toBe('pushed');
  expect(tries).toBe(4);
  expect(await show(made, 'main', 'x.yaml')).toBe(`${MARK}\nhuman 3\nadded`);
  expect(await count(made, 'main')).toBe(5);
});

test('two tenants and a human at one branch: every commit is there, in one line', async () => {
  const files = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`x${index}.yaml`, `${MARK}\n`]));
  const made = await repository('many.git', files);
  const writers = [writer, createGitWriter(writing(other))];
  const human = async (): Promise<void> => {
    for (let index = 0; index < 10; index += 1) {
      await made.git('fetch', '-q', made.directory, 'main');
      await made.git('reset', '-q', '--hard', 'FETCH_HEAD');
      await made.git('commit', '-q', '--allow-empty', '-m', `human ${index}`);
      await made.git('push', '-q', made.directory, 'HEAD:main').catch(() => {
        index -= 1;
      });
    }
  };
  const work = Array.from({ length: 10 }, (_, index) =>
    (writers[index % 2] ?? writer).write(remoteOf('many.git'), want({ accepts: (path) => path === `x${index}.yaml` }), limits, signal),
  );
  const [written] = await Promise.all([Promise.all(work), human()]);
  expect(written.map((one) => one.is)).toEqual(Array.from({ length: 10 }, () => 'pushed'));
  for (let index = 0; index < 10; index += 1) expect(await show(made, 'main', `x${index}.yaml`)).toBe(`${MARK}\nadded`);
  expect(await count(made, 'main')).toBe(21);
  expect(await made.git('-C', made.directory, 'rev-list', '--merges', 'main')).toBe('');
});

test('a lost answer is asked for, not sent again', async () => {
  const made = await repository('lost.git', { 'x.yaml': `${MARK}\n` });
  server.intercept.handle = (request, response) => {
    if (request.method === 'POST' && request.url?.endsWith('git-receive-pack') === true) {
      response.writeHead = () => response;
      response.write = () => true;
      response.end = () => response.destroy();
    }
    return false;
  };
  const written = await writer.write(remoteOf('lost.git'), want(), limits, signal);
  expect(written.is).toBe('pushed');
  expect(await made.git('-C', made.directory, 'rev-parse', 'main')).toBe(written.is === 'pushed' ? written.commit : '');
  expect(await count(made, 'main')).toBe(2);
});

test('a hook’s refusal is shown in its own words, and nothing of the commit stays', async () => {
  const made = await repository('protected.git', { 'x.yaml': `${MARK}\n` });
  const hook = join(made.directory, 'hooks', 'pre-receive');
  await mkdir(join(made.directory, 'hooks'), { recursive: true });
  await writeFile(hook, '#!/bin/sh\necho "branch main is protected" >&2\nexit 1\n', { mode: 0o755 });
  const before = await objects();
  await expect(writer.write(remoteOf('protected.git'), want(), limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
    message: expect.stringContaining('branch main is protected'),
  });
  expect(await count(made, 'main')).toBe(1);
  expect(await objects(), 'nothing of the refused commit is in a mirror').toEqual(before);
  expect(await leftovers(tenant.options.workDir)).toEqual([]);
});

test('a branch that does not exist begins at the checkout, and grows from then on', async () => {
  const made = await repository('branch.git', { 'x.yaml': `${MARK}\n` });
  const main = await made.git('rev-parse', 'HEAD');
  expect(await writer.write(remoteOf('branch.git'), want({ branch: 'bot/updates' }), limits, signal)).toMatchObject({
    is: 'pushed',
  });
  expect(await made.git('-C', made.directory, 'rev-parse', 'bot/updates~1')).toBe(main);
  expect(await writer.write(remoteOf('branch.git'), want({ branch: 'bot/updates', line: 'more' }), limits, signal)).toMatchObject({
    is: 'pushed',
  });
  expect(await show(made, 'bot/updates', 'x.yaml')).toBe(`${MARK}\nadded\nmore`);
  expect(await made.git('-C', made.directory, 'rev-parse', 'main')).toBe(main);
  await expect(
    writer.write(remoteOf('branch.git'), want({ branch: 'new', from: { at: 'reference', name: 'refs/heads/none' } }), limits, signal),
  ).rejects.toMatchObject({ code: 'gitFailed' });
});

test('push options and further references reach the server', async () => {
  const made = await repository('options.git', { 'x.yaml': `${MARK}\n` });
  await made.git('-C', made.directory, 'config', 'receive.advertisePushOptions', 'true');
  await mkdir(join(made.directory, 'hooks'), { recursive: true });
  await writeFile(join(made.directory, 'hooks', 'pre-receive'), '#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION | sort > options\n', {
    mode: 0o755,
  });
  const options = { 'merge_request.create': '', 'merge_request.title': '--force $(id)' };
  const written = await writer.write(remoteOf('options.git'), want({ options, alsoTo: ['refs/heads/copy'] }), limits, signal);
  expect(await readFile(join(made.directory, 'options'), 'utf8')).toBe(
    'GIT_PUSH_OPTION_0=merge_request.create\nGIT_PUSH_OPTION_1=merge_request.title=--force $(id)\nGIT_PUSH_OPTION_COUNT=2\n',
  );
  expect(await made.git('-C', made.directory, 'rev-parse', 'copy')).toBe(written.is === 'pushed' ? written.commit : '');
});

test('C1: no value becomes an option or a second reference', async () => {
  const made = await repository('values.git', { 'x.yaml': `${MARK}\n` });
  for (const part of [
    { branch: '--force' },
    { branch: 'a:b' },
    { branch: 'a b' },
    { alsoTo: ['+refs/heads/main'] },
    { alsoTo: ['--mirror'] },
    { options: { 'a\nb': '' } },
  ])
    await expect(writer.write(remoteOf('values.git'), want(part), limits, signal), JSON.stringify(part)).rejects.toMatchObject({
      code: 'gitFailed',
    });
  expect(await made.git('-C', made.directory, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
});

/** Loose objects of all mirrors: a fetch brings packs. */
async function objects(): Promise<readonly string[]> {
  const found = await readdir(tenant.options.mirrorsDir, { recursive: true });
  return found.filter((one) => /objects\/[0-9a-f]{2}\/[0-9a-f]{38}$/.test(one)).toSorted();
}

async function leftovers(dir: string): Promise<readonly string[]> {
  const found = await readdir(dir, { recursive: true });
  const files: string[] = [];
  for (const one of found) if ((await stat(join(dir, one))).isFile()) files.push(one);
  return files;
}
