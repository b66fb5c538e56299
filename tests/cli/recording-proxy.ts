import { once } from 'node:events';
import { connect, createServer } from 'node:tls';
import { localServerCertificate, openLocalAuthority } from '#deploy/local/certificates.ts';

export type RecordingProxy = Readonly<{
  url: string;
  caFile: string;
  caPem: string /** Every byte that clients sent, decrypted. */;
  sent(): string;
  [Symbol.asyncDispose](): Promise<void>;
}>;

/** A TLS server in front of the plane that passes everything on and keeps what was sent to it. */
export async function recordingProxy(dir: string, upstream: Readonly<{ url: string; caPem: string }>): Promise<RecordingProxy> {
  const authority = await openLocalAuthority(dir, 'recording proxy');
  const { certificatePem, keyPem } = await localServerCertificate(authority, 'recording proxy');
  const chunks: Buffer[] = [];
  const { hostname, port } = new URL(upstream.url);
  const server = createServer({ cert: certificatePem, key: keyPem, ALPNProtocols: ['http/1.1'] }, (client) => {
    const plane = connect({ host: hostname, port: Number(port), ca: upstream.caPem, ALPNProtocols: ['http/1.1'] });
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.pipe(plane).pipe(client);
    client.on('error', () => plane.destroy());
    plane.on('error', () => client.destroy());
    client.on('close', () => plane.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `https://127.0.0.1:${address.port}`,
    caFile: authority.certificateFile,
    caPem: authority.certificatePem,
    sent: () => Buffer.concat(chunks).toString('latin1'),
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}
