import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startGitServer, type TestGitServer, type TestRepository } from './git-server.ts';
import { limits, NOBODY, openTenantGit, signal, TENANT_A, TENANT_B, type TenantGit } from './tenant-git.ts';

const run = promisify(execFile);
let server: TestGitServer;
let tenant: TenantGit;

beforeAll(async () => {
  server = await startGitServer();
  tenant = await openTenantGit();
});
afterEach(() => {
  server.intercept.handle = null;
});
afterAll(async () => {
  await server.close();
  await tenant.close();
});

const remoteOf = (repository: TestRepository) => ({ url: server.url(repository.name), credential: NOBODY, caPem: server.caPem }) as const;

async function filesIn(tarPath: string): Promise<readonly string[]> {
  return (await run('tar', ['-tf', tarPath])).stdout
    .trim()
    .split('\n')
    .filter((name) => !name.endsWith('/'));
}

test('look answers heads, HEAD and tags peeled to their commits', async () => {
  const repository = await server.repository('look.git');
  const commit = await repository.commit('main', { 'a.yaml': 'a' });
  await repository.git('tag', 'light');
  await repository.git('tag', '-a', '-m', 'x', 'heavy');
  await repository.git('push', '-q', repository.directory, '--tags');
  const refs = await tenant.git.look(remoteOf(repository), limits, signal);
  expect(Object.fromEntries(refs.map(({ name, commit: found }) => [name, found]))).toEqual({
    HEAD: commit,
    'refs/heads/main': commit,
    'refs/tags/light': commit,
    'refs/tags/heavy': commit,
  });
});

test('an empty repository has no references', async () => {
  expect(await tenant.git.look(remoteOf(await server.repository('empty.git')), limits, signal)).toEqual([]);
});

test('a snapshot is the tree of the commit, and a known commit needs no network', async () => {
  const repository = await server.repository('snap.git');
  const commit = await repository.commit('main', { 'deploy/a.yaml': 'a: 1\n', 'b.txt': 'b' });
  const advertised = await tenant.git.look(remoteOf(repository), limits, signal);
  const first = await tenant.git.snapshot(remoteOf(repository), { commit, advertised, within: 'refs/heads/main' }, limits, signal);
  expect(await filesIn(first.tarPath)).toEqual(['b.txt', 'deploy/a.yaml']);
  await first.dispose();
  await expect(readFile(first.tarPath)).rejects.toThrow('ENOENT');
  const before = server.requests.length;
  const second = await tenant.git.snapshot(remoteOf(repository), { commit, advertised, within: 'refs/heads/main' }, limits, signal);
  await second.dispose();
  expect(server.requests.length).toBe(before);
});

test('what the tree says about its own attributes is not obeyed', async () => {
  const repository = await server.repository('attributes.git');
  const commit = await repository.commit('main', {
    '.gitattributes':
      '[attr]hidden export-ignore\nsecret.yaml export-ignore\n*.h hidden\nsubst.yaml export-subst\ncrlf.yaml text eol=crlf\nident.yaml ident\nwide.yaml working-tree-encoding=ISO-8859-1\ndir export-ignore\nf.yaml filter=run\n',
    'secret.yaml': 's',
    'x.h': 'h',
    'subst.yaml': '$Format:%H$',
    'crlf.yaml': 'a\nb\n',
    'ident.yaml': '$Id$',
    'wide.yaml': 'é',
    'dir/in.yaml': 'd',
    'f.yaml': 'f',
    'sub/.gitattributes': '* export-ignore\n',
    'sub/a': 'a',
  });
  const advertised = await tenant.git.look(remoteOf(repository), limits, signal);
  const { tarPath, dispose } = await tenant.git.snapshot(remoteOf(repository), { commit, advertised, within: null }, limits, signal);
  expect(await filesIn(tarPath)).toEqual([
    '.gitattributes',
    'crlf.yaml',
    'dir/in.yaml',
    'f.yaml',
    'ident.yaml',
    'secret.yaml',
    'sub/.gitattributes',
    'sub/a',
    'subst.yaml',
    'wide.yaml',
    'x.h',
  ]);
  const content = async (name: string): Promise<string> => (await run('tar', ['-xOf', tarPath, name])).stdout;
  expect(await content('subst.yaml')).toBe('$Format:%H$');
  expect(await content('crlf.yaml')).toBe('a\nb\n');
  expect(await content('ident.yaml')).toBe('$Id$');
  expect(await content('wide.yaml')).toBe('\u00c3\u00a9');
  await dispose();
});

test('a commit by hash must be on the named branch, or on any advertised one', async () => {
  const repository = await server.repository('reach.git');
  const old = await repository.commit('main', { a: '1' });
  const tip = await repository.commit('main', { a: '2' });
  const other = await repository.commit('side', { b: '1' });
  const remote = remoteOf(repository);
  const advertised = await tenant.git.look(remote, limits, signal);
  for (const [commit, within] of [
    [old, 'refs/heads/main'],
    [tip, 'refs/heads/main'],
    [old, null],
    [other, null],
  ] as const) {
    await (await tenant.git.snapshot(remote, { commit, advertised, within }, limits, signal)).dispose();
  }
  await expect(tenant.git.snapshot(remote, { commit: other, advertised, within: 'refs/heads/main' }, limits, signal)).rejects.toMatchObject(
    { code: 'gitFailed', message: `commit ${other} is not on refs/heads/main` },
  );
  await expect(tenant.git.snapshot(remote, { commit: '0'.repeat(40), advertised, within: null }, limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
  });
  await expect(tenant.git.snapshot(remote, { commit: tip, advertised, within: 'refs/heads/gone' }, limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
  });
});

test('a tenant gets nothing from the shared mirror that its own ls-remote did not advertise', async () => {
  const repository = await server.repository('shared.git');
  const open = await repository.commit('main', { a: '1' });
  const hidden = await repository.commit('secret', { b: 'hidden' });
  const remote = remoteOf(repository);
  const all = await tenant.git.look(remote, limits, signal);
  await (await tenant.git.snapshot(remote, { commit: hidden, advertised: all, within: 'refs/heads/secret' }, limits, signal)).dispose();
  const other = await openTenantGit({ tenantId: TENANT_B, root: tenant.root });
  const visible = all.filter(({ name }) => name !== 'refs/heads/secret');
  await expect(other.git.snapshot(remote, { commit: hidden, advertised: visible, within: null }, limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
  });
  await (await other.git.snapshot(remote, { commit: open, advertised: visible, within: null }, limits, signal)).dispose();
});

test('a branch whose name is the folder of an older one is fetched', async () => {
  const repository = await server.repository('names.git');
  const first = await repository.commit('a', { a: '1' });
  const remote = remoteOf(repository);
  await (
    await tenant.git.snapshot(
      remote,
      { commit: first, advertised: await tenant.git.look(remote, limits, signal), within: 'refs/heads/a' },
      limits,
      signal,
    )
  ).dispose();
  await repository.git('push', '-q', repository.directory, ':a');
  await repository.git('checkout', '-q', '--detach');
  await repository.git('branch', '-D', 'a');
  const second = await repository.commit('a/b', { a: '2' });
  await (
    await tenant.git.snapshot(
      remote,
      { commit: second, advertised: await tenant.git.look(remote, limits, signal), within: 'refs/heads/a/b' },
      limits,
      signal,
    )
  ).dispose();
});

test('twenty snapshots of a new commit at once fetch once', async () => {
  const repository = await server.repository('flight.git');
  const commit = await repository.commit('main', { a: '1' });
  const remote = remoteOf(repository);
  const advertised = await tenant.git.look(remote, limits, signal);
  const before = server.requests.length;
  const other = await openTenantGit({ tenantId: TENANT_B, root: tenant.root });
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? tenant : other).git.snapshot(remote, { commit, advertised, within: 'refs/heads/main' }, limits, signal),
    ),
  );
  for (const { dispose } of all) await dispose();
  expect(server.requests.slice(before).filter(({ url }) => url.includes('info/refs')).length).toBe(1);
});

test('many fetches leave few packs', async () => {
  const repository = await server.repository('packs.git');
  const fresh = await openTenantGit();
  try {
    for (let index = 0; index < 24; index += 1) {
      const commit = await repository.commit('main', { a: String(index) });
      await (
        await fresh.git.snapshot(
          remoteOf(repository),
          { commit, advertised: [{ name: 'refs/heads/main', commit }], within: 'refs/heads/main' },
          limits,
          signal,
        )
      ).dispose();
    }
    const [mirror] = (await readdir(fresh.options.mirrorsDir)).filter((name) => !name.endsWith('.lock'));
    const packs = (await readdir(`${fresh.options.mirrorsDir}/${mirror}/objects/pack`)).filter((name) => name.endsWith('.pack'));
    expect(packs.length).toBeLessThanOrEqual(20);
  } finally {
    await fresh.close();
  }
});

test('a tree, a mirror and a list over their limits are refused, and nothing stays behind', async () => {
  const repository = await server.repository('big.git');
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 2_654_435_761) & 255)).toString('base64');
  const commit = await repository.commit('main', { big: noise });
  const remote = remoteOf(repository);
  const advertised = await tenant.git.look(remote, limits, signal);
  await expect(
    tenant.git.snapshot(remote, { commit, advertised, within: null }, { ...limits, maxBytes: 100_000 }, signal),
  ).rejects.toMatchObject({ code: 'artifactTooLarge', message: expect.stringContaining('100000 bytes') });
  await (await tenant.git.snapshot(remote, { commit, advertised, within: null }, { ...limits, maxBytes: 1_000_000 }, signal)).dispose();
  expect(await readdir(`${tenant.options.workDir}/tenant/${TENANT_A}`)).toEqual([]);
});
