import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startGitServer, type TestGitServer } from '#tests/git/git-server.ts';
import { limits, NOBODY, openTenantGit, signal, TENANT_A, type TenantGit } from '#tests/git/tenant-git.ts';

/** C6, C9, C11: a server that announces bundles, crafts reference names, or sends packs that are broken or never end. */

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

const pkt = (text: string): string => `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;
const advertise = (lines: readonly string[]): string =>
  `${pkt('# service=git-upload-pack\n')}0000${lines.map((line) => pkt(`${line}\n`)).join('')}0000`;
const type = { 'content-type': 'application/x-git-upload-pack-advertisement' };
const COMMIT = 'a'.repeat(40);

test('C6: a server that announces a bundle location is not asked for it and nothing is written', async () => {
  const repository = await server.repository('bundle.git');
  const commit = await repository.commit('main', { a: 'a' });
  await repository.git('-C', repository.directory, 'config', 'uploadpack.advertiseBundleURIs', 'true');
  await repository.git('-C', repository.directory, 'config', 'bundle.version', '1');
  await repository.git('-C', repository.directory, 'config', 'bundle.mode', 'all');
  await repository.git('-C', repository.directory, 'config', 'bundle.x.uri', server.url('evil.bundle'));
  const remote = { url: server.url('bundle.git'), credential: NOBODY, caPem: server.caPem } as const;
  const advertised = await tenant.git.look(remote, limits, signal);
  await (await tenant.git.snapshot(remote, { commit, advertised, within: null }, limits, signal)).dispose();
  expect(server.requests.filter(({ url }) => url.includes('evil'))).toEqual([]);
});

test('C9: reference names that climb, hold control characters or look like options are not even seen', async () => {
  const names = [
    'refs/heads/../../../etc/passwd',
    'refs/heads/a\u0001b',
    'refs/heads/--upload-pack=x/..',
    'refs/heads/-x',
    'refs/heads/a..b',
    'refs/heads/a.lock',
    'refs/heads/.git/config',
    '../HEAD',
    '/etc/passwd',
    'refs/heads/good',
  ];
  server.intercept.handle = (_request, response) => {
    response.writeHead(200, type).end(advertise(names.map((name, index) => `${COMMIT} ${name}${index === 0 ? '\0report-status' : ''}`)));
    return true;
  };
  const outcome = await tenant.git
    .look({ url: server.url('c9.git'), credential: NOBODY, caPem: server.caPem }, limits, signal)
    .catch((error: unknown) => error);
  if (Array.isArray(outcome)) for (const { name } of outcome) expect(['refs/heads/good', 'refs/heads/-x']).toContain(name);
  else expect(outcome).toMatchObject({ code: 'gitFailed' });
});

test.each([
  ['noise', (): Buffer => Buffer.concat([Buffer.from(pkt('NAK\n')), randomBytes(100_000)])],
  [
    'a pack with a wrong checksum',
    (): Buffer => Buffer.concat([Buffer.from(pkt('NAK\n')), Buffer.from('PACK\0\0\0\u0002\0\0\0\u0001'), randomBytes(200)]),
  ],
  [
    'a pack that promises four billion objects',
    (): Buffer =>
      Buffer.concat([Buffer.from(pkt('NAK\n')), Buffer.from('PACK\0\0\0\u0002'), Buffer.from([255, 255, 255, 255]), randomBytes(1_000)]),
  ],
  ['an empty answer', (): Buffer => Buffer.alloc(0)],
])('C11: %s is refused and the mirror stays usable', async (name, body) => {
  const repository = await server.repository(`c11-${name.replaceAll(' ', '-')}.git`);
  const commit = await repository.commit('main', { a: name });
  const remote = { url: server.url(repository.name), credential: NOBODY, caPem: server.caPem } as const;
  const advertised = await tenant.git.look(remote, limits, signal);
  server.intercept.handle = (request, response) => {
    if (request.method !== 'POST') return false;
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-result' }).end(body());
    return true;
  };
  await expect(tenant.git.snapshot(remote, { commit, advertised, within: null }, limits, signal)).rejects.toMatchObject({
    code: 'gitFailed',
  });
  server.intercept.handle = null;
  await (await tenant.git.snapshot(remote, { commit, advertised, within: null }, limits, signal)).dispose();
  expect(await readdir(`${tenant.options.workDir}/tenant/${TENANT_A}`)).toEqual([]);
});

test('C11: a list of references larger than the limit is refused', async () => {
  server.intercept.handle = (_request, response) => {
    response.writeHead(200, type);
    response.write(`${pkt('# service=git-upload-pack\n')}0000${pkt(`${COMMIT} refs/heads/first\0report-status\n`)}`);
    let count = 0;
    const more = (): void => {
      let room = true;
      while (room && !response.destroyed && count < 260_000) {
        let part = '';
        for (let index = 0; index < 1_000; index += 1) part += pkt(`${COMMIT} refs/heads/${String(count++).padStart(150, 'n')}\n`);
        room = response.write(part);
      }
      if (!response.destroyed && count < 260_000) response.once('drain', more);
      else response.end('0000');
    };
    more();
    return true;
  };
  const asked = tenant.git.look({ url: server.url('endless.git'), credential: NOBODY, caPem: server.caPem }, { timeoutMs: 30_000 }, signal);
  await expect(asked).rejects.toMatchObject({ code: 'gitFailed', message: expect.stringContaining('sent more than 33554432 bytes') });
});

test('C11: a repository over the mirror limit is given up while it is sent', async () => {
  const repository = await server.repository('large.git');
  const commit = await repository.commit('main', { blob: randomBytes(6_000_000).toString('base64') });
  const small = await openTenantGit({ maxMirrorBytes: 1_000_000 });
  const remote = { url: server.url('large.git'), credential: NOBODY, caPem: server.caPem } as const;
  const advertised = await small.git.look(remote, limits, signal);
  server.intercept.handle = null;
  await expect(small.git.snapshot(remote, { commit, advertised, within: null }, limits, signal)).rejects.toMatchObject({
    code: 'artifactTooLarge',
    message: expect.stringContaining('1000000 bytes'),
  });
  await small.close();
});
