import { createHash } from 'node:crypto';
import { Agent, request } from 'undici';

export type PushTarget = Readonly<{ url: string; username: string; password: string; caPem: string }>;
export type PushLayer = Readonly<{ mediaType: string; bytes: Buffer; annotations?: Readonly<Record<string, string>> }>;
export type PushedManifest = PushedDescriptor & Readonly<{ layers: readonly Readonly<{ digest: string; size: number }>[] }>;

type PushedDescriptor = Readonly<{ mediaType: string; digest: string; size: number }>;

export const FLUX_LAYER = 'application/vnd.cncf.flux.content.v1.tar+gzip';
export const FLUX_CONFIG = 'application/vnd.cncf.flux.config.v1+json';
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';

export function sha256(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export type Pusher = ReturnType<typeof openPusher>;

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
  /** Any manifest, as it is, under a tag or its digest. */
  async function putManifest(
    repository: string,
    name: string | null,
    body: Readonly<{ mediaType: string; [key: string]: unknown }>,
  ): Promise<PushedDescriptor> {
    const bytes = Buffer.from(JSON.stringify(body));
    const digest = sha256(bytes);
    await send('PUT', `${target.url}/v2/${repository}/manifests/${name ?? digest}`, bytes, body.mediaType, 201);
    return { mediaType: body.mediaType, digest, size: bytes.length };
  }
  /** `more` goes into the manifest, over what is made here. */
  async function push(
    repository: string,
    tag: string | null,
    layers: readonly PushLayer[],
    annotations: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<PushedManifest> {
    const config = Buffer.from('{}');
    const described = layers.map(({ mediaType, bytes, annotations: own }) => ({
      mediaType,
      digest: sha256(bytes),
      size: bytes.length,
      ...(own === undefined ? {} : { annotations: own }),
    }));
    for (const bytes of new Set([config, ...layers.map((one) => one.bytes)])) await blob(repository, bytes);
    const pushed = await putManifest(repository, tag, {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: FLUX_CONFIG, digest: sha256(config), size: config.length },
      layers: described,
      annotations,
      ...more,
    });
    return { ...pushed, layers: described };
  }
  return Object.freeze({ push, putManifest, blob, close: () => agent.close() });
}
