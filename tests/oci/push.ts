import { createHash } from 'node:crypto';
import { Agent, request } from 'undici';

export type PushTarget = Readonly<{ url: string; username: string; password: string; caPem: string }>;
export type PushLayer = Readonly<{ mediaType: string; bytes: Buffer }>;
export type PushedManifest = Readonly<{ digest: string; layers: readonly Readonly<{ digest: string; size: number }>[] }>;

export const FLUX_LAYER = 'application/vnd.cncf.flux.content.v1.tar+gzip';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export function sha256(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Pushes artifacts to a real registry as `oras` and `flux push` do (distribution-spec, section Pushing). */
export function openPusher(target: PushTarget) {
  const agent = new Agent({ connect: { ca: target.caPem } });
  const authorization = `Basic ${Buffer.from(`${target.username}:${target.password}`).toString('base64')}`;
  async function send(method: 'POST' | 'PUT', url: string, body: Buffer, contentType: string, expected: number): Promise<string> {
    const headers = { authorization, 'content-type': contentType };
    const answer = await request(url, { method, body, headers, dispatcher: agent });
    const text = await answer.body.text();
    if (answer.statusCode !== expected) throw new Error(`${method} ${url}: ${answer.statusCode} ${text.slice(0, 500)}`);
    return String(answer.headers['location'] ?? '');
  }
  async function blob(repository: string, bytes: Buffer): Promise<void> {
    const start = await send('POST', `${target.url}/v2/${repository}/blobs/uploads/`, Buffer.alloc(0), 'application/octet-stream', 202);
    const place = new URL(start, target.url);
    place.searchParams.set('digest', sha256(bytes));
    await send('PUT', place.href, bytes, 'application/octet-stream', 201);
  }
  return Object.freeze({
    async push(
      repository: string,
      tag: string,
      layers: readonly PushLayer[],
      annotations: Readonly<Record<string, string>> = {},
    ): Promise<PushedManifest> {
      const config = Buffer.from('{}');
      const described = layers.map(({ mediaType, bytes }) => ({ mediaType, digest: sha256(bytes), size: bytes.length }));
      for (const bytes of [config, ...layers.map((one) => one.bytes)]) await blob(repository, bytes);
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST,
          config: { mediaType: 'application/vnd.cncf.flux.config.v1+json', digest: sha256(config), size: config.length },
          layers: described,
          annotations,
        }),
      );
      await send('PUT', `${target.url}/v2/${repository}/manifests/${tag}`, manifest, MANIFEST, 201);
      return { digest: sha256(manifest), layers: described };
    },
    close: () => agent.close(),
  });
}
