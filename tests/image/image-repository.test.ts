import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { useImageStage } from './stage.ts';

const stage = useImageStage();
const hostile: { handle: (request: IncomingMessage, response: ServerResponse) => void } = {
  handle: (_request, response) => void response.end(),
};
const server = createServer((request, response) => hostile.handle(request, response));

beforeAll(async () => {
  await stage.logins();
  await stage.api.must('admin', '/api/v1/namespaces/acme/serviceaccounts', {
    method: 'POST',
    body: {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'puller', namespace: 'acme' },
      imagePullSecrets: [{ name: 'registry-login' }],
    },
  });
  const [host = '', port = '0'] = stage.httpHost().split(':');
  await new Promise<void>((resolve) => server.listen(Number(port), host, () => resolve()));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
beforeEach(async () => {
  await stage.settle();
});

const login = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
const image = (repository: string): string => `${stage.registry().host}/${repository}`;

async function scanned(name: string, spec: JsonObject) {
  await stage.create('ImageRepository', name, { interval: '1m', ...spec });
  await stage.settle();
  return stage.ready('ImageRepository', name);
}

test('tags are scanned, shown as Flux shows them, and a second scan of the same tags writes nothing', async () => {
  for (const tag of ['1.0.0', '1.1.0', '1.1.0.sig', 'latest']) await stage.push('team/plain', tag);
  const before = Date.now();
  expect(await scanned('plain', { image: image('team/plain'), ...login })).toMatchObject({
    status: 'True',
    reason: 'Succeeded',
    message: expect.stringMatching(/^successful scan: found 3 tags with checksum sha256:[0-9a-f]{64}$/),
  });
  const first = await stage.get('ImageRepository', 'plain');
  expect(at(first, 'status')).toMatchObject({
    observedGeneration: 1,
    canonicalImageName: image('team/plain'),
    observedExclusionList: ['^.*\\.sig$'],
    lastScanResult: { tagCount: 3, latestTags: ['latest', '1.1.0', '1.0.0'], revision: expect.stringMatching(/^sha256:/) },
  });
  expect(Date.parse(textAt(first, 'status', 'lastScanResult', 'scanTime') ?? '')).toBeGreaterThan(before - 2_000);
  await stage.due('ImageRepository', 'plain');
  expect(await stage.settle()).toEqual(['ImageRepository/plain']);
  const second = await stage.get('ImageRepository', 'plain');
  expect(at(second, 'metadata', 'resourceVersion')).toBe(at(first, 'metadata', 'resourceVersion'));
});

test('only ten of many tags are shown, all are stored, and deleting the repository removes them', async () => {
  for (let minor = 0; minor < 12; minor += 1) await stage.push('team/many', `1.${String(minor).padStart(2, '0')}.0`);
  await scanned('many', { image: image('team/many'), ...login });
  const { status } = await stage.get('ImageRepository', 'many');
  expect(at(status, 'lastScanResult', 'latestTags')).toEqual(
    Array.from({ length: 10 }, (_, index) => `1.${String(11 - index).padStart(2, '0')}.0`),
  );
  const stored = () =>
    stage.api.plane.ask(
      `select length(t.tags) as n from weir.image_tags t join weir.objects o on o.uid = t.repository_uid where o.name = 'many'`,
    );
  expect(await stored()).toEqual([{ n: 12 * 7 - 1 }]);
  const count = async () => Number((await stage.api.plane.ask('select count(*)::int as n from weir.image_tags'))[0]?.['n']);
  const withIt = await count();
  await stage.remove('ImageRepository', 'many');
  await stage.settle();
  expect(await count()).toBe(withIt - 1);
});

test('a changed exclusion list counts at once, and requestedAt is echoed', async () => {
  for (const tag of ['1.0.0', '1.0.0-arm64', '2.0.0.sig']) await stage.push('team/excluded', tag);
  await scanned('excluded', { image: image('team/excluded'), ...login });
  await stage.patch('ImageRepository', 'excluded', {
    spec: { exclusionList: ['-arm64$'] },
    metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': 'now-1' } },
  });
  await stage.settle();
  const { status } = await stage.get('ImageRepository', 'excluded');
  expect(status).toMatchObject({
    observedGeneration: 2,
    observedExclusionList: ['-arm64$'],
    lastHandledReconcileAt: 'now-1',
    lastScanResult: { latestTags: ['2.0.0.sig', '1.0.0'] },
  });
});

test('the pull secrets of serviceAccountName log in', async () => {
  await stage.push('team/pulled', '1.0.0');
  const spec = { image: image('team/pulled'), serviceAccountName: 'puller', certSecretRef: { name: 'registry-ca' } };
  expect(await scanned('pulled', spec)).toMatchObject({ status: 'True' });
});

test.each<readonly [string, () => JsonObject, Readonly<{ reason: string; stalled: boolean }>, string]>([
  ['scheme', () => ({ image: 'https://ghcr.io/a/b' }), { reason: 'ImageURLInvalid', stalled: true }, "remove 'https://'"],
  ['with-tag', () => ({ image: 'ghcr.io/a/b:1' }), { reason: 'ImageURLInvalid', stalled: true }, "remove ':1'"],
  [
    'no-secret',
    () => ({ image: image('x'), secretRef: { name: 'none' } }),
    { reason: 'AuthenticationFailed', stalled: false },
    'does not exist',
  ],
  [
    'wrong-secret',
    () => ({ image: image('x'), secretRef: { name: 'registry-ca' } }),
    { reason: 'AuthenticationFailed', stalled: false },
    '.dockerconfigjson',
  ],
  [
    'wrong-ca',
    () => ({ image: image('x'), certSecretRef: { name: 'registry-login' } }),
    { reason: 'AuthenticationFailed', stalled: false },
    'ca.crt',
  ],
  [
    'no-account',
    () => ({ image: image('x'), serviceAccountName: 'none' }),
    { reason: 'AuthenticationFailed', stalled: false },
    'does not exist',
  ],
  [
    'anonymous',
    () => ({ image: image('x'), certSecretRef: { name: 'registry-ca' } }),
    { reason: 'AuthenticationFailed', stalled: false },
    'answered 401',
  ],
  ['missing', () => ({ image: image('team/none'), ...login }), { reason: 'ReadOperationFailed', stalled: false }, 'push it'],
  ['down', () => ({ image: '127.0.0.1:1/x' }), { reason: 'ReadOperationFailed', stalled: false }, '127.0.0.1:1'],
  [
    'bad-pattern',
    () => ({ image: image('x'), exclusionList: ['(?=a)'], ...login }),
    { reason: 'ReadOperationFailed', stalled: false },
    '(?=a)',
  ],
  ['insecure', () => ({ image: image('x'), insecure: true }), { reason: 'AccessDenied', stalled: true }, 'WEIR_ALLOW_HTTP_HOSTS'],
  ['private', () => ({ image: '10.0.0.1/x' }), { reason: 'AccessDenied', stalled: true }, 'private'],
  ['provider', () => ({ image: image('x'), provider: 'aws' }), { reason: 'UnsupportedField', stalled: true }, 'spec.provider aws'],
  ['proxy', () => ({ image: image('x'), proxySecretRef: { name: 'x' } }), { reason: 'UnsupportedField', stalled: true }, 'proxySecretRef'],
])('going wrong: %s', async (name, spec, expected, message) => {
  const outcome = await scanned(name, spec());
  expect(outcome).toMatchObject({ status: 'False', ...expected });
  expect(outcome.message).toContain(message);
  expect(JSON.stringify(await stage.get('ImageRepository', name))).not.toContain(stage.registry().password);
});

test('a failed scan keeps the tags of the last good one', async () => {
  await stage.push('team/kept', '1.0.0');
  await scanned('kept', { image: image('team/kept'), ...login });
  const before = at(await stage.get('ImageRepository', 'kept'), 'status', 'lastScanResult');
  await stage.patch('ImageRepository', 'kept', { spec: { secretRef: { name: 'none' } } });
  await stage.settle();
  expect(await stage.ready('ImageRepository', 'kept')).toMatchObject({ status: 'False', reason: 'AuthenticationFailed' });
  expect(at(await stage.get('ImageRepository', 'kept'), 'status', 'lastScanResult')).toEqual(before);
});

test('fault 34: plain http where it is allowed, 100,000 tags in pages, 429 with Retry-After', async () => {
  const total = 100_000;
  let pages = 0;
  hostile.handle = (request, response) => {
    const last = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('last') ?? '0');
    pages += 1;
    const next = last + 1_000;
    if (next < total) response.setHeader('link', `</v2/big/tags/list?last=${next}&n=1000>; rel="next"`);
    response.end(JSON.stringify({ name: 'big', tags: Array.from({ length: 1_000 }, (_, index) => `1.0.${last + index}`) }));
  };
  const heapBefore = process.memoryUsage().heapUsed;
  const spec = { image: `${stage.httpHost()}/big`, insecure: true, timeout: '50s' };
  expect(await scanned('big', spec)).toMatchObject({ status: 'True', message: expect.stringContaining('found 100000 tags') });
  expect(pages).toBe(100);
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(256 * 1024 * 1024);
  const before = at(await stage.get('ImageRepository', 'big'), 'status', 'lastScanResult');
  hostile.handle = (_request, response) => void response.writeHead(429, { 'retry-after': '120' }).end();
  await stage.due('ImageRepository', 'big');
  await stage.settle();
  expect(await stage.ready('ImageRepository', 'big')).toMatchObject({
    status: 'False',
    reason: 'ReadOperationFailed',
    message: expect.stringContaining('busy (429)'),
  });
  expect(at(await stage.get('ImageRepository', 'big'), 'status', 'lastScanResult')).toEqual(before);
  const [row] = await stage.api.plane.ask(
    `select extract(epoch from w.due_at - clock_timestamp())::float8 as s from weir.work w join weir.objects o on o.uid = w.unit_id where o.name = 'big'`,
  );
  expect(Number(row?.['s'])).toBeGreaterThan(110);
});
