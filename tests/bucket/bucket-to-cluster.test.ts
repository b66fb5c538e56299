import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConditions } from '#core/conditions.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type S3Server, startS3 } from '#deploy/local/s3.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { configMap, configMapPath, useApp } from '#tests/kustomization/app.ts';

const SOURCE = 'source.toolkit.fluxcd.io/v1';
const children = useChildren('file');
const folder = useTemporaryDir('file');
const app = useApp('bucket');
let server: S3Server;
let caPem: string;

beforeAll(async () => {
  const { s3: program } = await loadToolPaths({ only: ['s3'] });
  const authority = await openLocalAuthority(join(folder(), 'ca'), 'bucket tests');
  caPem = authority.certificatePem;
  server = await startS3(children, { dir: join(folder(), 's3'), program, authority });
  await server.makeBucket('apps');
});
afterAll(() => server.stop());

async function makeBucket(name: string, spec: JsonObject = {}, secretKey = server.secretKey): Promise<string> {
  const full = `${app.id}-${name}`;
  const secret = (suffix: string, stringData: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${full}-${suffix}`, namespace: 'team-a' },
    stringData,
  });
  await app.create(secret('keys', { accesskey: server.accessKey, secretkey: secretKey }));
  await app.create(secret('ca', { 'ca.crt': caPem }));
  const base = { endpoint: server.host, bucketName: 'apps', region: server.region, interval: '10m', timeout: '10s' };
  const refs = { secretRef: { name: `${full}-keys` }, certSecretRef: { name: `${full}-ca` } };
  await app.create({
    apiVersion: SOURCE,
    kind: 'Bucket',
    metadata: { name: full, namespace: 'team-a' },
    spec: { ...base, ...refs, ...spec },
  });
  return full;
}

const statusOf = async (name: string): Promise<JsonObject> => {
  const status = at((await app.get('Bucket', name)).body, 'status');
  return typeof status === 'object' && status !== null && !Array.isArray(status) ? (status as JsonObject) : {};
};
const ready = async (name: string) => readConditions(await statusOf(name)).find(({ type }) => type === 'Ready');
const settled = (name: string, status: 'True' | 'False', reason: string) =>
  expect.poll(() => ready(name), { timeout: 15_000 }).toMatchObject({ status, reason });
const askAgain = (name: string) =>
  app.patch('Bucket', name, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': String(Date.now()) } } });

test('objects of a bucket become running objects, and a changed one follows', async () => {
  const name = `${app.id}-cm`;
  await server.put('apps', 'prod/config.yaml', configMap(name, { a: '1' }));
  await server.put('apps', 'prod/broken.yaml', '{{ not yaml');
  await server.put('apps', '.sourceignore', 'broken.yaml\n');
  const bucket = await makeBucket('main', { prefix: 'prod/' });
  const kustomization = await app.kustomization('main', { sourceRef: { kind: 'Bucket', name: bucket }, path: './prod' });
  await app.place([kustomization], ['north']);
  await app.ready(kustomization, 'True', 'ReconciliationSucceeded');
  const first = await statusOf(bucket);
  const revision = textAt(first, 'artifact', 'revision') ?? '';
  expect(revision).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(textAt((await app.get('Kustomization', kustomization)).body, 'status', 'lastAppliedRevision')).toBe(revision);
  expect(at((await app.live('north', configMapPath(name))) ?? {}, 'data')).toEqual({ a: '1' });

  await server.put('apps', 'prod/config.yaml', configMap(name, { a: '2' }));
  await askAgain(bucket);
  await expect.poll(async () => at((await app.live('north', configMapPath(name))) ?? {}, 'data'), { timeout: 15_000 }).toEqual({ a: '2' });
  expect(textAt(await statusOf(bucket), 'artifact', 'revision')).not.toBe(revision);
});

test('wrong keys, a hostile key and a provider that is not served are said, and the last artifact stays', async () => {
  const wrong = await makeBucket('wrong', { prefix: 'good/' }, 'canary-wrong-secret');
  await settled(wrong, 'False', 'AuthenticationFailed');
  expect(JSON.stringify((await app.get('Bucket', wrong)).body)).not.toContain('canary');
  await server.put('apps', 'good/a.yaml', configMap('x', {}));
  const good = await makeBucket('good', { prefix: 'good/' });
  await settled(good, 'True', 'Succeeded');
  const before = textAt(await statusOf(good), 'artifact', 'digest');
  await server.put('apps', 'good/A.yaml', configMap('y', {}));
  await askAgain(good);
  await settled(good, 'False', 'BucketOperationFailed');
  expect((await ready(good))?.message).toContain('good/A.yaml');
  expect(textAt(await statusOf(good), 'artifact', 'digest')).toBe(before);
  await app.patch('Bucket', good, { spec: { bucketName: 'missing' } });
  await expect.poll(async () => (await ready(good))?.message, { timeout: 15_000 }).toBe("bucket 'missing' not found");
  await app.patch('Bucket', good, { spec: { provider: 'gcp', certSecretRef: null } });
  await settled(good, 'False', 'UnsupportedField');
});

test('B12: a bucket of another tenant is as missing as one that is not there', async () => {
  const bucket = await makeBucket('mine', { prefix: 'good/' });
  for (const name of [bucket, 'never-there'])
    expect((await callPlane(app.bob(), 'GET', `/apis/${SOURCE}/namespaces/team-a/buckets/${name}`)).status).toBe(404);
  const message = async (namespace: string): Promise<string> => {
    const sourceRef = { kind: 'Bucket', name: bucket, namespace };
    const kustomization = await app.kustomization(`to-${namespace}`, { sourceRef });
    await app.place([kustomization], ['north']);
    return (await app.ready(kustomization, 'False', 'AccessDenied')).replaceAll(namespace, '<namespace>');
  };
  expect(await message('team-b')).toBe(await message('nobody-there'));
});
