import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type LocalAuthority, openLocalAuthority } from '#deploy/local/certificates.ts';
import { authorizationOf, type GitCredential, type RepositoryAccess } from '#deploy/local/git-access.ts';
import { startGitServer } from '#deploy/local/git-server.ts';
import { openWorkingCopy } from '#deploy/local/git-working-copy.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const run = promisify(execFile);
const children = useChildren();
const dir = useTemporaryDir();

const reader: GitCredential = { scheme: 'basic', username: 'reader', password: 'r', mayPush: false };
const robot: GitCredential = { scheme: 'bearer', token: 'robot-token', mayPush: false };
const writer: GitCredential = { scheme: 'basic', username: 'writer', password: 'w', mayPush: true };
const closed: RepositoryAccess = { readers: 'credentials', credentials: [reader, robot, writer] };
const open: RepositoryAccess = { readers: 'everybody', credentials: [writer] };

/** What git of a stranger says about a repository. Fails unless git is content. */
async function lsRemote(url: string, authority: LocalAuthority, credential?: GitCredential): Promise<string> {
  const header = credential === undefined ? [] : ['-c', `http.extraHeader=Authorization: ${authorizationOf(credential)}`];
  const env = { PATH: process.env.PATH ?? '', HOME: dir(), GIT_SSL_CAINFO: authority.certificateFile, GIT_TERMINAL_PROMPT: '0' };
  return (await run('git', [...header, 'ls-remote', url], { env, timeout: 20_000 })).stdout;
}

test('a private repository is read with basic and bearer logins only, and requests are recorded', async () => {
  const authority = await openLocalAuthority(join(dir(), 'ca'), 'demo CA');
  await using server = await startGitServer(children, { dir: join(dir(), 'git'), authority });
  await server.createRepository('apps', { access: closed, files: { 'a/b.yaml': 'kind: A\n' } });
  const url = server.urlOf('apps');
  expect(await lsRemote(url, authority, reader)).toMatch(/refs\/heads\/main/);
  expect(await lsRemote(url, authority, robot)).toMatch(/refs\/heads\/main/);
  await expect(lsRemote(url, authority)).rejects.toThrow(/could not read Username|Authentication failed/);
  await expect(lsRemote(url, authority, { ...reader, password: 'x' })).rejects.toThrow(/Authentication failed|could not read Username/);
  await expect(lsRemote(server.urlOf('other'), authority, reader)).rejects.toThrow(/not found/);
  server.clearRequests();
  await lsRemote(url, authority, robot);
  expect(server.requests()[0]).toMatchObject({
    method: 'GET',
    path: '/apps.git/info/refs',
    query: 'service=git-upload-pack',
    authorization: 'bearer',
    status: 200,
  });
});

test('who does not know the authority refuses the server', async () => {
  const authority = await openLocalAuthority(join(dir(), 'ca'), 'demo CA');
  const other = await openLocalAuthority(join(dir(), 'other'), 'demo CA');
  await using server = await startGitServer(children, { dir: join(dir(), 'git'), authority });
  await server.createRepository('apps', { access: open, files: { a: '1' } });
  await expect(lsRemote(server.urlOf('apps'), other)).rejects.toThrow(/certificate/);
});

test('pushes are for writers, in a working copy that anybody can go on using', async () => {
  const authority = await openLocalAuthority(join(dir(), 'ca'), 'demo CA');
  await using server = await startGitServer(children, { dir: join(dir(), 'git'), authority });
  await server.createRepository('apps', { access: closed, files: { 'keep.txt': '1', 'drop.txt': '2' } });
  const caFile = authority.certificateFile;
  const mine = await openWorkingCopy({ dir: join(dir(), 'mine'), url: server.urlOf('apps'), caFile, credential: writer });
  const commit = await mine.commit('main', { 'drop.txt': null, 'new/file.txt': 'x'.repeat(3_000_000) });
  expect(await lsRemote(server.urlOf('apps'), authority, reader)).toContain(`${commit}\trefs/heads/main`);
  expect(await server.commitFiles('apps', 'main', { 'more.txt': '' })).not.toBe(commit);
  expect((await mine.git('pull', '--quiet', '--ff-only'), await mine.git('ls-files'))).toBe('keep.txt\nmore.txt\nnew/file.txt\n');
  expect((await stat(join(mine.dir, '.git/login'))).mode & 0o777).toBe(0o600);

  const yours = await openWorkingCopy({ dir: join(dir(), 'yours'), url: server.urlOf('apps'), caFile, credential: reader });
  await expect(yours.commit('main', { a: '1' })).rejects.toThrow(/403/);
});

test('branches can be forced, deleted and begun anew', async () => {
  await using server = await startGitServer(children, { dir: join(dir(), 'git'), authority: null });
  await server.createRepository('apps', { access: open });
  const first = await server.commitFiles('apps', 'main', { a: '1' });
  const copy = await server.workingCopy('apps');
  await copy.git('push', '--quiet', 'origin', `${first}:refs/heads/side`);
  await server.commitFiles('apps', 'main', { a: '2' });
  await copy.git('push', '--quiet', '--force', 'origin', `${first}:refs/heads/main`);
  expect(await copy.git('ls-remote', 'origin')).toBe(`${first}\tHEAD\n${first}\trefs/heads/main\n${first}\trefs/heads/side\n`);
  await copy.git('push', '--quiet', 'origin', ':main', ':side');
  expect(await copy.git('ls-remote', 'origin')).toBe('');
  await server.commitFiles('apps', 'main', { b: '1' });
  expect(await copy.git('ls-files')).toBe('b\n');
});

test('after a push the webhooks are called with a good signature; one that is down fails nothing', async () => {
  const received: { url: string | undefined; headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
  const receiver = createServer((request, reply) => {
    void text(request).then((body) => {
      received.push({ url: request.url, headers: request.headers, body });
      reply.end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const address = receiver.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const base = `http://127.0.0.1:${address.port}`;
  await using server = await startGitServer(children, { dir: join(dir(), 'git'), authority: null });
  await server.createRepository('apps', {
    access: open,
    files: { a: '1' },
    webhooks: [
      { type: 'generic-hmac', url: `${base}/hmac`, secret: 's1', caPem: null },
      { type: 'github', url: `${base}/github`, secret: 's2', caPem: null },
      { type: 'gitlab', url: `${base}/gitlab`, secret: 's3', caPem: null },
      { type: 'generic', url: 'http://127.0.0.1:9/', secret: '', caPem: null },
    ],
  });
  expect(received).toEqual([]);
  const commit = await server.commitFiles('apps', 'main', { a: '2' });
  receiver.close();
  const sign = (secret: string, body: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const by = new Map(received.map((one) => [one.url, one]));
  expect([...by.keys()].sort()).toEqual(['/github', '/gitlab', '/hmac']);
  const hmac = by.get('/hmac');
  expect(JSON.parse(hmac?.body ?? '')).toMatchObject({ ref: 'refs/heads/main', after: commit, repository: { name: 'apps' } });
  expect(hmac?.headers['x-signature']).toBe(sign('s1', hmac?.body ?? ''));
  expect(by.get('/github')?.headers).toMatchObject({
    'x-github-event': 'push',
    'x-hub-signature-256': sign('s2', by.get('/github')?.body ?? ''),
  });
  expect(by.get('/gitlab')?.headers).toMatchObject({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 's3' });
  expect((await readFile(join(server.repositoryDir('apps'), 'hooks/post-receive'), 'utf8')).startsWith(`#!${process.execPath}\n`)).toBe(
    true,
  );
});

test('it can be slow, and away, and back on the same port; partial clones are off unless switched on', async () => {
  const authority = await openLocalAuthority(join(dir(), 'ca'), 'demo CA');
  await using server = await startGitServer(children, { dir: join(dir(), 'git'), authority });
  await server.createRepository('plain', { access: open, files: { a: '1' } });
  await server.createRepository('partial', { access: open, files: { a: '1' }, settings: { 'uploadpack.allowFilter': 'true' } });
  const capabilities = async (name: string): Promise<string> => {
    const { stdout } = await run('curl', [
      '-s',
      '--cacert',
      authority.certificateFile,
      '-H',
      'Git-Protocol: version=2',
      `${server.urlOf(name)}/info/refs?service=git-upload-pack`,
    ]);
    return stdout;
  };
  expect(await capabilities('plain')).toMatch(/version 2[\s\S]*fetch=shallow(?!.*filter)/);
  expect(await capabilities('partial')).toMatch(/fetch=.*filter/);

  server.setDelay(300);
  const started = performance.now();
  await lsRemote(server.urlOf('plain'), authority);
  expect(performance.now() - started).toBeGreaterThan(300);
  server.setDelay(0);
  await server.setReachable(false);
  await expect(lsRemote(server.urlOf('plain'), authority)).rejects.toThrow(/Failed to connect|Couldn't connect/);
  await server.setReachable(true);
  expect(await lsRemote(server.urlOf('plain'), authority)).toMatch(/HEAD/);
});
