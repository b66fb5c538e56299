import { AppError } from '#core/errors.ts';
import type { Ctx } from '#core/kind.ts';
import type { Artifact } from '#core/ports.ts';
import type { Descriptor, RegistryManifest, RegistryRemote } from '#core/registry.ts';
import { type FetchReason, fetchFailure } from './failure.ts';
import { type OCIRepositoryNeed, remoteTimeoutMs } from './observe.ts';
import type { OCIRepositorySpec } from './schema.ts';

/** Limits of one artifact: the layer as it comes, all that it unpacks to, and what the ignore rules leave. */
const MAX_LAYER_BYTES = 268_435_456;
const MAX_DECODED_BYTES = 1_073_741_824;
const MAX_ARTIFACT_BYTES = 268_435_456;
const MAX_ARTIFACT_ENTRIES = 50_000;
/** What Kubernetes allows for all annotations of an object. */
const MAX_ANNOTATION_BYTES = 262_144;

export type Pulled = Readonly<{ is: 'pulled'; artifact: Artifact; annotations: Readonly<Record<string, string>> }>;
type Failed = Readonly<{ is: 'failed'; condition: 'FetchFailed' | 'StorageOperationFailed'; reason: string; message: string }>;
type PullCtx = Pick<Ctx<OCIRepositoryNeed>, 'registry' | 'artifacts' | 'signal'>;

/** Fetches the selected layer of a manifest by digest and stores it. What the registry or the content does wrong is answered; everything else is thrown. */
export async function pull(ctx: PullCtx, spec: OCIRepositorySpec, remote: RegistryRemote, digest: string): Promise<Pulled | Failed> {
  const limits = { timeoutMs: remoteTimeoutMs(spec) };
  const manifest = await attempt('OCIArtifactPullFailed', `failed to pull artifact from '${spec.url}'`, () =>
    ctx.registry.manifest(remote, digest, limits, ctx.signal),
  );
  if ('is' in manifest) return manifest;
  const layer = selectLayer(spec, manifest);
  if (typeof layer === 'string') return failed('OCIArtifactLayerOperationFailed', layer);
  const fetched = await attempt('OCIArtifactLayerOperationFailed', 'failed to extract layer contents from artifact', () =>
    ctx.registry.fetch(remote, layer, { maxBytes: MAX_LAYER_BYTES }, limits, ctx.signal),
  );
  if ('is' in fetched) return fetched;
  try {
    const artifact = await store(ctx, spec, fetched.path);
    return 'is' in artifact ? artifact : { is: 'pulled', artifact, annotations: manifest.annotations };
  } finally {
    await fetched.dispose();
  }
}

/** The first layer of the media type, or the first of all; a sentence when there is none, or when the annotations would not fit into a status. */
function selectLayer({ layerSelector }: OCIRepositorySpec, { annotations, layers }: RegistryManifest): Descriptor | string {
  if (Buffer.byteLength(JSON.stringify(annotations)) > MAX_ANNOTATION_BYTES)
    return `the annotations of the manifest have more than ${MAX_ANNOTATION_BYTES} bytes`;
  const [first] = layers;
  if (first === undefined) return 'no layers found in artifact';
  const mediaType = layerSelector?.mediaType ?? '';
  if (mediaType === '') return first;
  const found = layers.find((layer) => layer.mediaType === mediaType);
  return found ?? `failed to find layer with media type '${mediaType.slice(0, 255)}' in artifact`;
}

async function store(ctx: PullCtx, { ignore, layerSelector }: OCIRepositorySpec, path: string): Promise<Artifact | Failed> {
  const limits = { path, maxDecodedBytes: MAX_DECODED_BYTES, maxBytes: MAX_ARTIFACT_BYTES, maxEntries: MAX_ARTIFACT_ENTRIES };
  const copies = layerSelector?.operation === 'copy';
  try {
    if (copies) return await ctx.artifacts.keepLayer(limits, ctx.signal);
    return await ctx.artifacts.putLayer({ ...limits, ignore: ignore ?? null }, ctx.signal);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const what = copies ? 'failed to copy layer from artifact' : 'failed to extract layer contents from artifact';
    if (error.code === 'badRequest') return failed('OCIArtifactLayerOperationFailed', `${what}: ${error.message}`);
    if (error.code !== 'artifactTooLarge') throw error;
    const message = `unable to archive artifact to storage: ${error.message}`;
    return { is: 'failed', condition: 'StorageOperationFailed', reason: 'ArchiveOperationFailed', message };
  }
}

async function attempt<T>(reason: FetchReason, what: string, run: () => Promise<T>): Promise<T | Failed> {
  try {
    return await run();
  } catch (error) {
    const failure = fetchFailure(error, reason, what);
    return failed(failure.reason, failure.message);
  }
}

function failed(reason: string, message: string): Failed {
  return { is: 'failed', condition: 'FetchFailed', reason, message };
}
