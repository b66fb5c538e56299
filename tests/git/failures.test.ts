import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runGit } from '#adapters/git/run.ts';
import { startGitServer, type TestGitServer, type TestRepository } from './git-server.ts';
import { openGitShim } from './shim.ts';
import { limits, NOBODY, openTenantGit, signal, type TenantGit } from './tenant-git.ts';

const run = promisify(execFile);
let server: TestGitServer;
let tenant: TenantGit;
let repository: TestRepository;

beforeAll(async () => {
  server = await startGitServer();
  tenant = await openTenantGit();
  repository = await server.repository('x.git');
  await repository.commit('main', { a: 'a' });
});
afterEach(() => {
  server.intercept.handle = null;
});
afterAll(async () => {
  await server.close();
  await tenant.close();
});

const remote = () => ({ url: server.url('x.git'), credential: NOBODY, caPem: server.caPem }) as const;

/** Processes of git that talk to this test's server. */
async function talking(): Promise<string> {
  return (await run('ps', ['-eo', 'pid,args'])).stdout
    .split('\n')
    .filter((line) => line.includes(`localhost:${server.port}`))
    .join('\n');
}

async function untilNobodyTalks(): Promise<string> {
  for (let tries = 0; tries < 40 && (await talking()) !== ''; tries += 1) await sleep(50);
  return talking();
}

test('a git that ends without a word and a code of its own rejects', async () => {
  for (const body of ['exit 1', 'kill -9 $$', 'exit 128']) {
    const shim = await openGitShim(body);
    const broken = await openTenantGit({ path: shim.path });
    await expect(broken.git.look(remote(), limits, signal)).rejects.toMatchObject({
      code: 'gitFailed',
      message: expect.stringContaining('no message'),
    });
    await shim.close();
    await broken.close();
  }
});

test('an aborted run ends the whole process tree', async () => {
  server.intercept.handle = () => true;
  const stop = new AbortController();
  const asked = tenant.git.look(remote(), limits, stop.signal);
  const outcome = expect(asked).rejects.toThrow('stop it');
  for (let tries = 0; tries < 100 && !(await talking()).includes('git-remote-https'); tries += 1) await sleep(50);
  expect(await talking()).toContain('git-remote-https');
  stop.abort(new Error('stop it'));
  await outcome;
  expect(await untilNobodyTalks()).toBe('');
});

test('a run over its time ends the whole process tree', async () => {
  server.intercept.handle = () => true;
  await expect(tenant.git.look(remote(), { timeoutMs: 800 }, signal)).rejects.toMatchObject({
    code: 'gitFailed',
    message: 'git did not finish within 800 ms',
  });
  expect(await untilNobodyTalks()).toBe('');
});

test('a server that sends next to nothing is given up before the time limit', async () => {
  const impatient = await openTenantGit({ root: tenant.root, lowSpeedSeconds: 1 });
  server.intercept.handle = () => true;
  const startMs = performance.now();
  await expect(impatient.git.look(remote(), limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
    message: expect.stringMatching(/too slow|timed out/i),
  });
  expect(performance.now() - startMs).toBeLessThan(10_000);
});

test('more output than allowed ends git', async () => {
  const shim = await openGitShim('exec yes');
  await expect(
    runGit({
      command: { words: ['x'], expected: [] },
      launcher: tenant.options.launcher,
      environment: { PATH: shim.path },
      directory: tenant.root,
      timeoutMs: 20_000,
      givenMs: 20_000,
      maxOutputBytes: 1_000_000,
      secrets: [],
      signal,
    }),
  ).rejects.toMatchObject({ code: 'gitFailed', message: 'the git server sent more than 1000000 bytes' });
  expect((await run('ps', ['-eo', 'args'])).stdout.split('\n').filter((line) => line === 'yes')).toEqual([]);
  await shim.close();
});

test('a missing repository, a refused login and a missing host are told apart, without the URL', async () => {
  await expect(tenant.git.look({ ...remote(), url: server.url('gone.git') }, limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
    message: expect.stringContaining('not found'),
  });
  server.intercept.handle = (_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return true;
  };
  await expect(tenant.git.look(remote(), limits, signal)).rejects.toMatchObject({ code: 'gitAuthFailed' });
  server.intercept.handle = (_request, response) => {
    response.writeHead(403).end();
    return true;
  };
  await expect(tenant.git.look(remote(), limits, signal)).rejects.toMatchObject({
    code: 'gitAuthFailed',
    message: expect.not.stringContaining('x.git'),
  });
  await expect(tenant.git.look({ ...remote(), url: 'https://does-not-exist.invalid/x' }, limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
    message: 'the host does-not-exist.invalid does not resolve',
  });
});

test('a server with another authority is refused', async () => {
  await expect(tenant.git.look({ ...remote(), caPem: null }, limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
    message: expect.stringContaining('certificate'),
  });
});

test('a private address that is not allowed is refused before anything is sent', async () => {
  const strict = await openTenantGit({ egress: (await import('#adapters/egress/egress.ts')).createEgress({ allowCidrs: [] }) });
  const before = server.requests.length;
  await expect(strict.git.look(remote(), limits, signal)).rejects.toMatchObject({ code: 'egressDenied' });
  expect(server.requests.length).toBe(before);
  await strict.close();
});

test('git connects to the checked address and not to what the name means later', async () => {
  const pinned = await openTenantGit({ egress: { check: async () => ['127.0.0.1'] } });
  const url = server.url('x.git').replace('localhost', 'git.nowhere.invalid');
  const failure = pinned.git.look({ ...remote(), url }, limits, signal);
  // The name does not exist: only the pinned address leads to the server, whose certificate names localhost.
  await expect(failure).rejects.toMatchObject({ code: 'gitFailed', message: expect.stringMatching(/certificate|subject name/i) });
  await pinned.close();
});

test('plain http works only where the operator allows it', async () => {
  const plain = await startGitServer({ http: true });
  await (await plain.repository('h.git')).commit('main', { a: 'a' });
  const target = { url: plain.url('h.git'), credential: NOBODY, caPem: null } as const;
  await expect(tenant.git.look(target, limits, signal)).rejects.toMatchObject({ code: 'egressDenied' });
  const allowed = await openTenantGit({ allowHttp: true });
  expect((await allowed.git.look(target, limits, signal)).length).toBe(2);
  await allowed.close();
  await plain.close();
});
