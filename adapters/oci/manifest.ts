import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { AppError } from '#core/errors.ts';
import { at, type Json, parseJson, textAt } from '#core/json.ts';
import { isSha256 } from '#core/oci-values.ts';
import type { Descriptor, Referrer, RegistryManifest } from '#core/registry.ts';

export const MANIFEST_TYPES: readonly string[] = Object.freeze([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
export const INDEX_TYPES: readonly string[] = Object.freeze([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const MAX_ITEMS = 1_000;
const MAX_TEXT = 65_536;

const RawDescriptor = Type.Object({
  mediaType: Type.String({ maxLength: 255 }),
  digest: Type.String({ maxLength: 255 }),
  size: Type.Integer({ minimum: 0 }),
  annotations: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.String({ maxLength: MAX_TEXT }))])),
});
const RawManifest = Type.Object({
  schemaVersion: Type.Literal(2),
  mediaType: Type.Optional(Type.String({ maxLength: 255 })),
  artifactType: Type.Optional(Type.String({ maxLength: 255 })),
  config: Type.Optional(RawDescriptor),
  layers: Type.Array(RawDescriptor, { maxItems: MAX_ITEMS }),
  annotations: Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.String({ maxLength: MAX_TEXT }))])),
});

const RawIndex = Type.Object({
  schemaVersion: Type.Literal(2),
  mediaType: Type.Optional(Type.String({ maxLength: 255 })),
  manifests: Type.Array(
    Type.Intersect([
      RawDescriptor,
      Type.Object({
        artifactType: Type.Optional(Type.String({ maxLength: 255 })),
        platform: Type.Optional(
          Type.Union([Type.Null(), Type.Object({ os: Type.String({ maxLength: 255 }), architecture: Type.String({ maxLength: 255 }) })]),
        ),
      }),
    ]),
    { maxItems: MAX_ITEMS },
  ),
});

/** An entry of an index; `platform` is `os/architecture`, or null where none is said. */
export type IndexEntry = Referrer & Readonly<{ platform: string | null }>;

/** The entries of an index (opencontainers/image-spec image-index.md), or null for a text that is no index. Throws AppError upstreamFailed for no JSON and for a broken index. */
export function parseIndex(text: string, shown: string): readonly IndexEntry[] | null {
  const raw = jsonOf(text, shown);
  const type = textAt(raw, 'mediaType');
  if (type === undefined ? at(raw, 'manifests') === undefined : !INDEX_TYPES.includes(type)) return null;
  if (!Value.Check(RawIndex, raw))
    throw new AppError('upstreamFailed', `an index of ${shown} cannot be read, or has more than ${MAX_ITEMS} entries`);
  return raw.manifests.map((one) =>
    Object.freeze({
      ...descriptor(one, shown),
      artifactType: one.artifactType ?? null,
      platform: one.platform === undefined || one.platform === null ? null : `${one.platform.os}/${one.platform.architecture}`,
    }),
  );
}

/** As upstream's client reads it: what says no platform is for the usual one. Pure. */
export function platformOf({ platform }: IndexEntry): string {
  return platform ?? 'linux/amd64';
}

/** An image manifest (opencontainers/image-spec manifest.md). Throws AppError upstreamFailed for anything else. */
export function parseManifest(text: string, digest: string, shown: string): RegistryManifest {
  const raw = jsonOf(text, shown);
  if (!Value.Check(RawManifest, raw) || (raw.mediaType !== undefined && !MANIFEST_TYPES.includes(raw.mediaType)))
    throw new AppError('upstreamFailed', `the manifest ${digest} of ${shown} is no image manifest`);
  return Object.freeze({
    digest,
    mediaType: raw.mediaType ?? MANIFEST_TYPES[0] ?? '',
    artifactType: raw.artifactType ?? null,
    annotations: Object.freeze({ ...raw.annotations }),
    config: raw.config === undefined ? null : descriptor(raw.config, shown),
    layers: raw.layers.map((one) => descriptor(one, shown)),
  });
}

function descriptor(raw: Static<typeof RawDescriptor>, shown: string): Descriptor {
  if (!isSha256(raw.digest)) throw new AppError('upstreamFailed', `a layer of ${shown} is not named by a sha256 digest`);
  return Object.freeze({
    mediaType: raw.mediaType,
    digest: raw.digest,
    sizeBytes: raw.size,
    annotations: Object.freeze({ ...raw.annotations }),
  });
}

export function jsonOf(text: string, shown: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new AppError('upstreamFailed', `the registry answers no JSON for ${shown}`, {}, { cause: error });
  }
}
