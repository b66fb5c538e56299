import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAuthority, issueCertificate, type KeyAndCertificate } from '#adapters/x509/issue.ts';
import { isHalfLifeOver, lifeOf } from '#adapters/x509/life.ts';
import { keepAuthority, keepCertificate } from '#adapters/x509/store.ts';

const dayMs = 86_400_000;

function serverRequest(nowMs: number): Parameters<typeof issueCertificate>[1] {
  return { commonName: 'api', usage: 'server', names: ['localhost'], addresses: ['127.0.0.1', '::1'], validMs: 90 * dayMs, nowMs };
}

async function getOverTls(server: KeyAndCertificate, ca: string): Promise<number | undefined> {
  const listening = createServer({ cert: server.certificatePem, key: server.keyPem }, (_, reply) => reply.end('ok'));
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    const call = request({ host: '127.0.0.1', port: address.port, ca, agent: false });
    call.end();
    const [reply] = await once(call, 'response');
    reply.resume();
    return reply.statusCode;
  } finally {
    listening.close();
  }
}

test('a client that knows the authority accepts the server, one that knows another refuses', async () => {
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'one', validMs: dayMs, nowMs });
  const other = await createAuthority({ commonName: 'one', validMs: dayMs, nowMs });
  const server = await issueCertificate(authority, serverRequest(nowMs));
  expect(await getOverTls(server, authority.certificatePem)).toBe(200);
  await expect(getOverTls(server, other.certificatePem)).rejects.toThrow(/certificate/);
});

test('a client certificate carries name and groups as Kubernetes reads them', async () => {
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'ca', validMs: dayMs, nowMs });
  const request = {
    commonName: 'admin',
    organizations: ['system:masters', 'odd, O=name'],
    usage: 'client',
    validMs: dayMs,
    nowMs,
  } as const;
  const certificate = new X509Certificate((await issueCertificate(authority, request)).certificatePem);
  expect(certificate.subject.split('\n')).toEqual(['CN=admin', 'O=system:masters', 'O=odd\\, O=name']);
  expect(certificate.ca).toBe(false);
});

test('kept certificates stay until half of their life, another authority, or a name they lack', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'weir-x509-'));
  try {
    const nowMs = Date.now();
    const authority = await keepAuthority(dir, 'ca', { commonName: 'ca', validMs: 3650 * dayMs, nowMs });
    expect(await keepAuthority(dir, 'ca', { commonName: 'ca', validMs: 3650 * dayMs, nowMs })).toEqual(authority);
    expect((await stat(join(dir, 'ca.pem'))).mode & 0o777).toBe(0o600);

    const first = await keepCertificate(dir, 'api', authority, serverRequest(nowMs));
    expect(await keepCertificate(dir, 'api', authority, serverRequest(nowMs + 44 * dayMs))).toEqual(first);
    const renewed = await keepCertificate(dir, 'api', authority, serverRequest(nowMs + 46 * dayMs));
    expect(renewed).not.toEqual(first);
    const named = await keepCertificate(dir, 'api', authority, { ...serverRequest(nowMs), names: ['plane.test'] });
    expect(new X509Certificate(named.certificatePem).checkHost('plane.test')).toBe('plane.test');
    const other = await createAuthority({ commonName: 'ca', validMs: dayMs, nowMs });
    expect(await keepCertificate(dir, 'api', other, { ...serverRequest(nowMs), names: ['plane.test'] })).not.toEqual(named);

    await expect(keepAuthority(dir, 'ca', { commonName: 'ca', validMs: dayMs, nowMs: nowMs + 3651 * dayMs })).rejects.toThrow(/expired/);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('half of a life is counted from its first valid moment', async () => {
  const { certificatePem } = await createAuthority({ commonName: 'ca', validMs: dayMs, nowMs: Date.now() });
  const { fromMs, untilMs } = lifeOf(certificatePem);
  expect(isHalfLifeOver(certificatePem, (fromMs + untilMs) / 2 - 1)).toBe(false);
  expect(isHalfLifeOver(certificatePem, (fromMs + untilMs) / 2)).toBe(true);
});
