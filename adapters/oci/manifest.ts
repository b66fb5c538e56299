import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { AppError } from '#core/errors.ts';
import { type Json, parseJson } from '#core/json.ts';
import { isSha256 } from '#core/oci-values.ts';
import type { Descriptor, RegistryManifest } from '#core/registry.ts';

export const MANIFEST_TYPES: readonly string[] = Object.freeze([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
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

/** An image manifest (opencontainers/image-spec manifest.md). Throws AppError upstreamFailed for anything else, an index included. */
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
