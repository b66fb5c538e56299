import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startGitServer, type TestGitServer } from '#tests/git/git-server.ts';
import { limits, openTenantGit, signal, type TenantGit } from '#tests/git/tenant-git.ts';

/** C8: a server sends us elsewhere, so that another host gets the token or an inner service is asked. Observer N: the other server counts. */

let server: TestGitServer;
let other: TestGitServer;
let tenant: TenantGit;

beforeAll(async () => {
  server = await startGitServer();
  other = await startGitServer();
  tenant = await openTenantGit();
  await (await other.repository('x.git')).commit('main', { a: 'other' });
  await (await server.repository('x.git')).commit('main', { a: 'a' });
});
afterEach(() => {
  server.intercept.handle = null;
});
afterAll(async () => {
  await server.close();
  await other.close();
  await tenant.close();
});

const credential = { is: 'bearer', token: 'canary-token-1' } as const;

test.each([301, 302, 303, 307, 308])('a %i to another host is not followed, and that host learns nothing', async (status) => {
  const caPem = `${server.caPem}${other.caPem}`;
  server.intercept.handle = (request, response) => {
    response.writeHead(status, { location: `${other.url('x.git')}${(request.url ?? '').slice('/x.git'.length)}` }).end();
    return true;
  };
  const asked = tenant.git.look({ url: server.url('x.git'), credential, caPem }, limits, signal);
  await expect(asked).rejects.toMatchObject({ code: 'gitFailed', message: expect.not.stringContaining('canary') });
  expect(other.requests).toEqual([]);
});

test('a redirect to a helper, to http or to itself is not followed either', async () => {
  for (const location of [
    'ext::touch /tmp/canary',
    'file:///etc/passwd',
    `http://localhost:${other.port}/x.git/info/refs?service=git-upload-pack`,
    '/x.git/info/refs?service=git-upload-pack&again',
  ]) {
    const before = server.requests.length;
    server.intercept.handle = (_request, response) => {
      response.writeHead(302, { location }).end();
      return true;
    };
    await expect(tenant.git.look({ url: server.url('x.git'), credential, caPem: server.caPem }, limits, signal)).rejects.toMatchObject({
      code: 'gitFailed',
    });
    expect(server.requests.length - before).toBe(1);
  }
  expect(other.requests).toEqual([]);
});

test('benign twin: without a redirect the token reaches the host it is for', async () => {
  const refs = await tenant.git.look({ url: server.url('x.git'), credential, caPem: server.caPem }, limits, signal);
  expect(refs.length).toBe(2);
  expect(server.requests.at(-1)?.authorization).toBe('Bearer canary-token-1');
});
