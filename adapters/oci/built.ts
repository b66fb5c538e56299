import { LRUCache } from 'lru-cache';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, parseJson, textAt } from '#core/json.ts';
import type { Registry, RegistryRemote } from '#core/registry.ts';
import { jsonOf, parseIndex, parseManifest, platformOf } from './manifest.ts';
import { keyOf } from './tokens.ts';

/** What the registry port lends: a manifest's checked text, and a small blob. */
export type Reading = Readonly<{
  resolve: Registry['resolve'];
  text(remote: RegistryRemote, digest: string, timeoutMs: number, signal: AbortSignal): Promise<string>;
  read: Registry['read'];
}>;

type Limits = Readonly<{ timeoutMs: number; signal: AbortSignal }>;
type Time = Readonly<{ atMs: number | null }>;

const CREATED = 'org.opencontainers.image.created';
const MAX_CONFIG_BYTES = 4_194_304;
/** Of all tenants together; each is kept under its own credential. */
const MAX_KEPT = 50_000;
const RFC3339 = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/;

/** `built` of the port. Times are kept by digest, which never means other content, and by tag for the day when the tag is gone. */
export function createBuilt(reading: Reading, shown: (remote: RegistryRemote) => string): Registry['built'] {
  const byDigest = new LRUCache<string, Time>({ max: MAX_KEPT });
  const byTag = new LRUCache<string, Time>({ max: MAX_KEPT });
  return async (remote, tag, { timeoutMs }, signal) => {
    const key = keyOf(remote);
    const limits = { timeoutMs, signal };
    try {
      const digest = await reading.resolve(remote, tag, { timeoutMs }, signal);
      const time = byDigest.get(`${key} ${digest}`) ?? { atMs: await timeOf(reading, remote, digest, limits, shown(remote)) };
      byDigest.set(`${key} ${digest}`, time);
      byTag.set(`${key} ${tag}`, time);
      return { ...time, isGone: false };
    } catch (error) {
      const known = byTag.get(`${key} ${tag}`);
      if (known === undefined || !(error instanceof AppError) || error.code !== 'notFound') throw error;
      return { ...known, isGone: true };
    }
  };
}

/** The annotation of the index, of the image, or what the image's configuration says (opencontainers/image-spec annotations.md, config.md). */
async function timeOf(
  { text, read }: Reading,
  remote: RegistryRemote,
  digest: string,
  { timeoutMs, signal }: Limits,
  shown: string,
): Promise<number | null> {
  let [name, body] = [digest, await text(remote, digest, timeoutMs, signal)];
  const index = parseIndex(body, shown);
  if (index !== null) {
    const own = instant(annotationIn(jsonOf(body, shown)));
    if (own !== null) return own;
    const child = index.find((one) => platformOf(one) === 'linux/amd64') ?? index[0];
    if (child === undefined) return null;
    [name, body] = [child.digest, await text(remote, child.digest, timeoutMs, signal)];
  }
  const manifest = parseManifest(body, name, shown);
  const own = instant(manifest.annotations[CREATED]);
  return (
    own ??
    (manifest.config === null
      ? null
      : configTime(await read(remote, manifest.config, { maxBytes: MAX_CONFIG_BYTES }, { timeoutMs }, signal)))
  );
}

function annotationIn(raw: Json): string | undefined {
  return isObject(raw) ? textAt(raw, 'annotations', CREATED) : undefined;
}

/** Of an artifact that is no image the configuration may be anything. */
function configTime(bytes: Uint8Array): number | null {
  try {
    const raw = parseJson(new TextDecoder().decode(bytes));
    return instant(isObject(raw) ? textAt(raw, 'created') : undefined);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function instant(text: string | undefined): number | null {
  if (text === undefined || !RFC3339.test(text)) return null;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? null : atMs;
}
