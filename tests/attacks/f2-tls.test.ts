import { afterEach, expect, test } from 'vitest';
import { tenantToken } from '#adapters/kube/credential.ts';
import { apiPath } from '#adapters/kube/paths.ts';
import type { Pool } from '#adapters/kube/pool.ts';
import { createAuthority } from '#adapters/x509/issue.ts';
import { type Hostile, type HostileCertificate, json, poolFor, startHostile } from '#tests/cluster/hostile.ts';

const open: { hostile: Hostile | null; pool: Pool | null } = { hostile: null, pool: null };
afterEach(async () => {
  await open.pool?.close();
  await open.hostile?.close();
});

const credential = tenantToken('tester', 'canary.token-that-must-not-leave', Number.MAX_SAFE_INTEGER);
const signal = new AbortController().signal;
const paths: readonly (readonly [string, (pool: Pool) => Promise<unknown>])[] = [
  ['a read', (pool) => pool.request({ method: 'GET', path: apiPath('version'), credential, timeoutMs: 3_000, maxBytes: 1_000, signal })],
  [
    'a write',
    (pool) =>
      pool.request({ method: 'PATCH', path: apiPath('version'), body: '{}', credential, timeoutMs: 3_000, maxBytes: 1_000, signal }),
  ],
  [
    'a watch',
    (pool) =>
      pool.watch({
        path: apiPath('version'),
        query: { watch: 'true' },
        accept: 'application/json',
        credential,
        headersTimeoutMs: 3_000,
        signal,
      }),
  ],
];
type Case = Readonly<{ certificate?: HostileCertificate; ca: 'right' | 'other' | 'none'; says: RegExp }>;
const cases: readonly (readonly [string, Case])[] = [
  ['of another authority', { ca: 'other', says: /certificate/ }],
  ['of a private authority without a caBundle', { ca: 'none', says: /certificate/ }],
  ['for another host', { ca: 'right', certificate: { host: 'other.example.com' }, says: /another host/ }],
  ['that has expired', { ca: 'right', certificate: { expired: true }, says: /expired/ }],
];

for (const [name, one] of cases) {
  test.each(paths)(`F2: a certificate ${name}: %s fails and the token is never sent`, async (_path, run) => {
    const hostile = await startHostile((_request, response) => json(response, 200, {}), one.certificate);
    open.hostile = hostile;
    const nowMs = Date.now();
    const other = await createAuthority({ commonName: 'other', validMs: 86_400_000, nowMs });
    const caPem = { right: hostile.caPem, other: other.certificatePem, none: '' }[one.ca];
    open.pool = poolFor({ server: hostile.server, caPem });
    await expect(run(open.pool)).rejects.toMatchObject({ code: 'clusterUnreachable', message: expect.stringMatching(one.says) });
    expect(hostile.requests.length).toBe(0);
  });
}

test.each(paths)('F2 twin: with the right CA and host, %s goes through with the token', async (_path, run) => {
  const hostile = await startHostile((_request, response) => json(response, 200, {}));
  open.hostile = hostile;
  open.pool = poolFor(hostile);
  await run(open.pool);
  expect(hostile.requests.map((one) => one.headers.authorization)).toEqual(['Bearer canary.token-that-must-not-leave']);
});
