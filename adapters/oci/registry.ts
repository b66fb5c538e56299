import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors.ts';
import type { HttpAnswer, HttpRequest } from '#core/http.ts';
import { isSha256, isTag } from '#core/oci-values.ts';
import type { Descriptor, Registry, RegistryLimits, RegistryRemote } from '#core/registry.ts';
import { type AskOptions, createAsk, expectOk, shown } from './ask.ts';
import { createBuilt } from './built.ts';
import { INDEX_TYPES, MANIFEST_TYPES, parseIndex, parseManifest, platformOf } from './manifest.ts';
import { createTags } from './tags.ts';

/** `workDir` holds layers for the length of a run; it is made when the first comes. */
export type RegistryOptions = AskOptions & Readonly<{ workDir: string }>;

const MAX_MANIFEST_BYTES = 4_194_304;
const ANY_TYPE = [...MANIFEST_TYPES, ...INDEX_TYPES].join(', ');

/** Reads of OCI registries (opencontainers/distribution-spec v1.1). One per process: it keeps tokens, and connections through `http`. */
export function createRegistry(options: RegistryOptions): Registry {
  const ask = createAsk(options);
  const { clock, workDir } = options;

  function askManifest(remote: RegistryRemote, name: string, method: 'GET' | 'HEAD', timeoutMs: number, signal: AbortSignal) {
    const path = `/v2/${remote.repository}/manifests/${name}`;
    return ask(remote, { path, method, accept: ANY_TYPE, maxBytes: MAX_MANIFEST_BYTES }, timeoutMs, signal);
  }

  async function checkedManifest(remote: RegistryRemote, digest: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
    if (!isSha256(digest)) throw new AppError('badRequest', 'a digest is written as sha256:<64 hexadecimal characters>');
    const answer = await askManifest(remote, digest, 'GET', timeoutMs, signal);
    expectOk(remote, answer, `manifest ${digest}`);
    if (answer.digest !== digest)
      throw new AppError('upstreamFailed', `the registry ${remote.host} answers other bytes than manifest ${digest}`);
    return answer.body.toString('utf8');
  }

  async function askBlob(
    remote: RegistryRemote,
    blob: Descriptor,
    want: Readonly<{ maxBytes: number; to: HttpRequest['to']; signal: AbortSignal }> & RegistryLimits,
  ): Promise<HttpAnswer> {
    const { maxBytes, to, timeoutMs, signal } = want;
    if (blob.sizeBytes > maxBytes)
      throw new AppError('upstreamTooLarge', `the layer ${blob.digest} has ${blob.sizeBytes} bytes, more than ${maxBytes}`);
    const path = `/v2/${remote.repository}/blobs/${blob.digest}`;
    const answer = await ask(remote, { path, accept: '*/*', maxBytes: blob.sizeBytes, to }, timeoutMs, signal);
    expectOk(remote, answer, `layer ${blob.digest}`);
    if (answer.digest === blob.digest && answer.sizeBytes === blob.sizeBytes) return answer;
    if (answer.path !== null) await rm(answer.path, { force: true });
    throw new AppError('upstreamFailed', `the registry ${remote.host} answers other bytes than layer ${blob.digest}`);
  }

  const resolve: Registry['resolve'] = async (remote, tag, { timeoutMs }, signal) => {
    if (!isTag(tag)) throw new AppError('badRequest', 'a tag has letters, digits, and . _ -');
    const head = await askManifest(remote, tag, 'HEAD', timeoutMs, signal);
    const told = head.status === 200 ? (head.headers['docker-content-digest'] ?? '') : '';
    if (isSha256(told)) return told;
    const answer = await askManifest(remote, tag, 'GET', timeoutMs, signal);
    expectOk(remote, answer, `tag ${tag}`);
    return answer.digest;
  };

  const read: Registry['read'] = async (remote, blob, { maxBytes }, { timeoutMs }, signal) =>
    (await askBlob(remote, blob, { maxBytes, to: 'buffer', timeoutMs, signal })).body;

  return Object.freeze({
    tags: createTags(ask, clock),
    resolve,
    read,
    built: createBuilt({ resolve, read, text: checkedManifest }, shown),

    async manifest(remote, digest, { timeoutMs }, signal) {
      const text = await checkedManifest(remote, digest, timeoutMs, signal);
      const index = parseIndex(text, shown(remote));
      if (index === null) return parseManifest(text, digest, shown(remote));
      const child = index.find((one) => platformOf(one) === 'linux/amd64');
      if (child === undefined)
        throw new AppError('upstreamFailed', `the manifest ${digest} of ${shown(remote)} is an index without an image for linux/amd64`);
      return parseManifest(await checkedManifest(remote, child.digest, timeoutMs, signal), child.digest, shown(remote));
    },

    async referrers(remote, digest, { timeoutMs }, signal) {
      if (!isSha256(digest)) throw new AppError('badRequest', 'a digest is written as sha256:<64 hexadecimal characters>');
      const path = `/v2/${remote.repository}/referrers/${digest}`;
      const api = await ask(remote, { path, accept: INDEX_TYPES[0] ?? '', maxBytes: MAX_MANIFEST_BYTES }, timeoutMs, signal);
      const listed = api.status === 200 ? parseIndex(api.body.toString('utf8'), shown(remote)) : null;
      if (listed !== null) return listed;
      if (api.status !== 200 && api.status !== 404) expectOk(remote, api, `referrers of ${digest}`);
      const tagged = await askManifest(remote, digest.replace(':', '-'), 'GET', timeoutMs, signal);
      if (tagged.status === 404) return [];
      expectOk(remote, tagged, `referrers of ${digest}`);
      return parseIndex(tagged.body.toString('utf8'), shown(remote)) ?? [];
    },

    async blob(remote, layer, { file, maxBytes }, { timeoutMs }, signal) {
      await askBlob(remote, layer, { maxBytes, to: { file }, timeoutMs, signal });
    },

    async fetch(remote, layer, { maxBytes }, { timeoutMs }, signal) {
      await mkdir(workDir, { recursive: true, mode: 0o700 });
      const path = join(workDir, randomUUID());
      await askBlob(remote, layer, { maxBytes, to: { file: path }, timeoutMs, signal });
      return Object.freeze({ path, dispose: () => rm(path, { force: true }) });
    },
  } satisfies Registry);
}
