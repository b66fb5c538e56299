import type { BucketIndex, BucketLimits } from '#core/bucket.ts';
import { durationMs } from '#core/duration.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import { type NamedSecret, type Remote, remoteFrom } from './remote.ts';
import type { BucketSpec, BucketStatus } from './schema.ts';
import { unsupportedField } from './unsupported.ts';

export type BucketObj = Obj<'definition', typeof BucketSpec, typeof BucketStatus>;
export type BucketNeed = 'secrets' | 'bucket' | 'artifacts';
export type FetchReason = 'BucketOperationFailed' | 'AuthenticationFailed' | 'AccessDenied';

/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: 'unsupported' | 'urlInvalid'; message: string }>
  | Readonly<{ at: 'failed'; reason: FetchReason; message: string }>
  /** This pass has tried to build; the status tells how it went. */
  | Readonly<{ at: 'built' }>
  | Readonly<{
      at: 'remote';
      index: BucketIndex /** Whether the artifact of the status is still in storage. */;
      stored: boolean;
    }>;

const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_ARTIFACT_BYTES = 268_435_456;
const MAX_OBJECTS = 25_000;

/** One look at the keys per pass: after the build nothing is asked again. */
export async function observe(ctx: Ctx<BucketNeed>, obj: BucketObj): Promise<Seen> {
  const { spec, status } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return { at: 'unsupported', message: unsupported };
  if (obj.done.includes('build')) return { at: 'built' };
  const remote = await openRemote(ctx, obj);
  if (remote.is === 'urlInvalid') return { at: 'urlInvalid', message: remote.message };
  if (remote.is === 'failed') return { at: 'failed', reason: 'AuthenticationFailed', message: remote.message };
  const stored = status?.artifact !== undefined && (await ctx.artifacts.has(status.artifact.digest));
  try {
    const want = { prefix: spec.prefix ?? '', ignore: spec.ignore ?? null };
    return { at: 'remote', index: await ctx.bucket.index(remote.remote, want, limitsOf(spec), ctx.signal), stored };
  } catch (error) {
    const failure = fetchFailure(error);
    if (failure === null) throw error;
    return { at: 'failed', ...failure };
  }
}

/** The bucket with the credential and trust of its Secrets, read anew each time so that they are held nowhere. */
export async function openRemote(ctx: Pick<Ctx<BucketNeed>, 'secrets'>, { definition, spec }: BucketObj): Promise<Remote> {
  const secrets: (NamedSecret | null)[] = [];
  for (const ref of [spec.secretRef, spec.certSecretRef]) {
    if (ref === undefined) {
      secrets.push(null);
      continue;
    }
    const shown = `${definition.namespace}/${ref.name}`;
    const values = await ctx.secrets.read(definition.namespace, ref.name);
    if (values === null)
      return { is: 'failed', message: `failed to get secret '${shown}': it does not exist; create it, or correct the reference` };
    secrets.push({ shown, values });
  }
  const [login = null, tls = null] = secrets;
  return remoteFrom(spec, login, tls);
}

export function limitsOf(spec: BucketSpec): BucketLimits {
  return { timeoutMs: remoteTimeoutMs(spec), maxBytes: MAX_ARTIFACT_BYTES, maxObjects: MAX_OBJECTS };
}

export function remoteTimeoutMs(spec: BucketSpec): number {
  return durationMs(spec.timeout, DEFAULT_TIMEOUT_MS);
}

/** How a failure of the bucket port is shown; null for what is not the remote's or the credential's fault. */
export function fetchFailure(error: unknown): Readonly<{ reason: FetchReason; message: string }> | null {
  if (!(error instanceof AppError)) return null;
  switch (error.code) {
    case 'upstreamFailed':
    case 'upstreamTooLarge':
    case 'notFound':
    case 'artifactTooLarge':
    case 'badRequest':
      return { reason: 'BucketOperationFailed', message: error.message };
    case 'upstreamAuthFailed':
      return { reason: 'AuthenticationFailed', message: error.message };
    case 'egressDenied':
      return { reason: 'AccessDenied', message: `spec.endpoint: ${error.message}` };
    default:
      return null;
  }
}
