import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBucket } from '#adapters/bucket/bucket.ts';
import { createEgress } from '#adapters/egress/egress.ts';
import { createEgressHttp } from '#adapters/egress/http.ts';
import { issueCertificate } from '#adapters/x509/issue.ts';
import type { BucketRemote } from '#core/bucket.ts';
import type { EgressHttp } from '#core/http.ts';
import { systemClock } from '#core/time.ts';
import { type LocalAuthority, localServerCertificate, openLocalAuthority } from '#deploy/local/certificates.ts';
import { type S3Server, startS3 } from '#deploy/local/s3.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** The real S3 server behind a front that asks for client certificates, and behind one that speaks plain HTTP. */
const children = useChildren('file');
const folder = useTemporaryDir('file');
const never = new AbortController().signal;
const limits = { timeoutMs: 20_000, maxBytes: 1_000_000, maxObjects: 100 } as const;
const all = { prefix: '', ignore: null } as const;
let authority: LocalAuthority;
let server: S3Server;
let http: EgressHttp;
const fronts: Server[] = [];

beforeAll(async () => {
  const { s3: program } = await loadToolPaths({ only: ['s3'] });
  authority = await openLocalAuthority(join(folder(), 'ca'), 'bucket front tests');
  server = await startS3(children, { dir: join(folder(), 's3'), program, authority });
  await server.makeBucket('apps');
  await server.put('apps', 'a.yaml', 'a: 1');
  http = createEgressHttp({ egress: createEgress({ allowCidrs: ['127.0.0.0/8'] }), userAgent: 'weir/test', clock: systemClock });
});
afterAll(async () => {
  await http.close();
  for (const front of fronts) await new Promise<void>((resolve) => void front.close(() => resolve()));
  await server.stop();
});

/** Passes a request on as it is; the signature covers the host that was asked, which stays in the header. */
function passOn(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, url, headers } = incoming;
  const onward = httpsRequest(
    `https://${server.host}${url ?? ''}`,
    { method, headers, ca: authority.certificatePem, agent: false },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    },
  );
  onward.once('error', () => outgoing.destroy());
  incoming.pipe(onward);
}

async function listen(front: Server): Promise<string> {
  fronts.push(front);
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const { port } = front.address() as AddressInfo;
  return `127.0.0.1:${port}`;
}

const bucketWith = (allowHttpHosts: readonly string[]) =>
  createBucket({ http, clock: systemClock, allowHttpHosts, workDir: join(folder(), 'work') });
const remoteAt = (origin: string, over: Partial<BucketRemote> = {}): BucketRemote => {
  const { accessKey, secretKey, region } = server;
  const base = { bucketName: 'apps', region, credential: { accessKey, secretKey }, clientCertificate: null } as const;
  return { origin, ...base, caPem: authority.certificatePem, ...over };
};

test('a server that asks for a client certificate gets the one of the Secret, and refuses without', async () => {
  const leaf = await localServerCertificate(authority, 'front');
  const tls = { key: leaf.keyPem, cert: leaf.certificatePem, ca: authority.certificatePem, requestCert: true, rejectUnauthorized: true };
  const host = await listen(createHttpsServer(tls, passOn));
  const nowMs = Date.now();
  const clientCertificate = await issueCertificate(authority, { commonName: 'reader', usage: 'client', validMs: 86_400_000, nowMs });
  const bucket = bucketWith([]);
  const found = await bucket.index(remoteAt(`https://${host}`, { clientCertificate }), all, limits, never);
  expect(found.objects.map(({ key }) => key)).toEqual(['a.yaml']);
  await expect(bucket.index(remoteAt(`https://${host}`), all, limits, never)).rejects.toMatchObject({ code: 'upstreamFailed' });
});

test('plain HTTP reaches a host that the operator lists, and no other', async () => {
  const host = await listen(createHttpServer(passOn));
  const remote = remoteAt(`http://${host}`, { caPem: null });
  const found = await bucketWith(['elsewhere.test', host]).index(remote, all, limits, never);
  expect(found.objects.map(({ key }) => key)).toEqual(['a.yaml']);
  for (const hosts of [[], ['127.0.0.1'], ['127.0.0.1:1'], [`${host}0`]])
    await expect(bucketWith(hosts).index(remote, all, limits, never)).rejects.toMatchObject({ code: 'egressDenied' });
});
