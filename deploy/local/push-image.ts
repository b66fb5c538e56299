import { createHash } from 'node:crypto';
import { Agent, request } from 'undici';
import type { RegistryServer } from './registry.ts';

type Target = Readonly<{ registry: RegistryServer; caPem: string; repository: string }>;
type Send = (method: 'POST' | 'PUT', url: string, body: Buffer, contentType: string) => Promise<string>;

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

/**
 * Pushes an image without layers under a tag, as a build would (opencontainers/distribution-spec, section Push); its configuration says when it was built. Throws when the registry
 * refuses. For demo and tests.
 */
export async function pushImage({ registry, caPem, repository }: Target, tag: string, createdAtMs: number): Promise<void> {
  const agent = new Agent({ connect: { ca: caPem } });
  const authorization = `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString('base64')}`;
  const send: Send = async (method, url, body, contentType) => {
    const answer = await request(url, { method, body, headers: { authorization, 'content-type': contentType }, dispatcher: agent });
    await answer.body.dump();
    if (answer.statusCode > 299) throw new Error(`${method} ${repository}:${tag} was answered with ${answer.statusCode}`);
    return String(answer.headers['location'] ?? '');
  };
  try {
    const created = new Date(createdAtMs).toISOString();
    const config = Buffer.from(
      JSON.stringify({
        created,
        architecture: 'amd64',
        os: 'linux',
        config: { Labels: { tag } },
        rootfs: { type: 'layers', diff_ids: [] },
      }),
    );
    const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
    const upload = new URL(
      await send('POST', `${registry.url}/v2/${repository}/blobs/uploads/`, Buffer.alloc(0), 'application/octet-stream'),
      registry.url,
    );
    upload.searchParams.set('digest', digest);
    await send('PUT', upload.href, config, 'application/octet-stream');
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: { mediaType: CONFIG, digest, size: config.length }, layers: [] };
    await send('PUT', `${registry.url}/v2/${repository}/manifests/${tag}`, Buffer.from(JSON.stringify(manifest)), MANIFEST);
  } finally {
    await agent.close();
  }
}
