import { readdir, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseGitUrl } from '#core/git-values.ts';
import type { GitCredential } from '#core/ports.ts';
import { startGitServer, type TestGitServer } from '#tests/git/git-server.ts';
import { type GitShim, openGitShim } from '#tests/git/shim.ts';
import { openTenantGit, signal, type TenantGit } from '#tests/git/tenant-git.ts';

/** C15: credentials in errors, arguments and files. Observer R: a canary as password and token, searched for in everything that comes out. */

const CANARY = 'canary-Pa55/word+1';
const FORMS = [CANARY, encodeURIComponent(CANARY), Buffer.from(CANARY).toString('base64')];
const HEADER = Buffer.from(`user:${CANARY}`).toString('base64');
const credentials: readonly GitCredential[] = [
  { is: 'basic', username: 'user', password: CANARY },
  { is: 'bearer', token: CANARY },
];

let server: TestGitServer;
let shim: GitShim;
let tenant: TenantGit;
let commit: string;

beforeAll(async () => {
  server = await startGitServer();
  shim = await openGitShim();
  tenant = await openTenantGit({ path: shim.path, lowSpeedSeconds: 1 });
  commit = await (await server.repository('x.git')).commit('main', { a: 'a' });
});
afterAll(async () => {
  await server.close();
  await shim.close();
  await tenant.close();
});

const answer =
  (status: number, headers: Record<string, string> = {}, body = '') =>
  (_request: IncomingMessage, response: ServerResponse): boolean => {
    response.writeHead(status, headers).end(body);
    return true;
  };
const refs = { 'content-type': 'application/x-git-upload-pack-advertisement' };
/** A server that repeats what it was sent, in all the places whose text git shows. */
const echo =
  (status: number) =>
  (request: IncomingMessage, response: ServerResponse): boolean => {
    const said = `${request.headers.authorization} https://user:${encodeURIComponent(CANARY)}@host/x ${CANARY} ${FORMS.join(' ')} ${request.headers.authorization?.split(' ')[1]}`;
    response
      .writeHead(status, {
        'content-type': status === 200 ? refs['content-type'] : 'text/plain',
        'www-authenticate': `Basic realm="${CANARY}"`,
        location: `https://user:${encodeURIComponent(CANARY)}@localhost/`,
      })
      .end(said);
    return true;
  };
const pkt = (text: string): string => `${(text.length + 4).toString(16).padStart(4, '0')}${text}`;
const cut = (request: IncomingMessage): boolean => {
  request.socket.destroy();
  return true;
};

const FAILURES: readonly (readonly [string, (request: IncomingMessage, response: ServerResponse) => boolean])[] = [
  ...[301, 302, 307, 400, 401, 402, 403, 404, 405, 407, 410, 418, 429, 500, 502, 503, 504].map(
    (status) => [`status ${status}`, answer(status)] as const,
  ),
  ...[302, 400, 401, 403, 404, 500, 503].map((status) => [`echo with ${status}`, echo(status)] as const),
  ['echo with 200', echo(200)],
  [
    'ERR packet with the secret',
    answer(200, refs, `${pkt('# service=git-upload-pack\n')}0000${pkt(`ERR access denied for ${CANARY} at https://u:${CANARY}@h/x\n`)}`),
  ],
  ['garbage', answer(200, refs, 'garbage')],
  ['empty', answer(200, refs, '')],
  ['wrong type', answer(200, { 'content-type': 'text/html' }, `<html>\n${CANARY}\n</html>\n`)],
  ['cut', cut],
  ['silence', () => true],
];

test('at least thirty kinds of failure, each with both kinds of credential, and the canary in none of them', async () => {
  expect(FAILURES.length).toBeGreaterThanOrEqual(30);
  for (const [name, handle] of FAILURES) {
    server.intercept.handle = handle;
    for (const credential of credentials) {
      const error: unknown = await tenant.git
        .look({ url: server.url('x.git'), credential, caPem: server.caPem }, { timeoutMs: 4_000 }, signal)
        .then(
          () => null,
          (thrown: unknown) => thrown,
        );
      expect(error, name).toMatchObject({ name: 'AppError', code: expect.stringMatching(/^git(Auth)?Failed$/) });
      const all = inspect(error, { depth: 10, showHidden: true });
      for (const form of [...FORMS, HEADER]) expect(all, `${name} with ${credential.is}`).not.toContain(form);
      expect(String(error instanceof Error ? error.message : ''), name).not.toMatch(/:\/\//);
    }
  }
  server.intercept.handle = null;
}, 120_000);

test('benign twin: the same credentials work, and are in no argument and in no file that stays', async () => {
  server.intercept.handle = null;
  for (const credential of credentials) {
    const remote = { url: server.url('x.git'), credential, caPem: server.caPem };
    const advertised = await tenant.git.look(remote, { timeoutMs: 20_000 }, signal);
    await (
      await tenant.git.snapshot(remote, { commit, advertised, within: null }, { timeoutMs: 20_000, maxBytes: 1_000_000 }, signal)
    ).dispose();
  }
  expect(server.requests.some(({ authorization }) => authorization === `Bearer ${CANARY}`)).toBe(true);
  for (const { words } of await shim.calls()) for (const form of [...FORMS, HEADER]) expect(words.join('\n')).not.toContain(form);
  for (const name of await readdir(tenant.root, { recursive: true })) {
    const path = join(tenant.root, name);
    if (!(await stat(path)).isFile()) continue;
    const content = await readFile(path, 'latin1');
    for (const form of [...FORMS, HEADER]) expect(content, name).not.toContain(form);
  }
});

test('a password in the URL is refused at input and not repeated', () => {
  for (const url of [
    `https://user:${encodeURIComponent(CANARY)}@h/x`,
    `https://${encodeURIComponent(CANARY)}@h/x`,
    `ssh://git:${encodeURIComponent(CANARY)}@h/x`,
    `https://h/x?token=${encodeURIComponent(CANARY)}`,
  ]) {
    const problem = parseGitUrl(url);
    expect(typeof problem).toBe('string');
    expect(JSON.stringify(problem)).not.toContain('canary');
  }
});
