import { type ChartLogin, chartLogin, type NamedSecret } from '#core/chart-login.ts';
import type { IndexMark } from '#core/charts.ts';
import { durationMs } from '#core/duration.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { HelmRepositorySpec, HelmRepositoryStatus } from './schema.ts';
import { unsupportedField } from './unsupported.ts';

export type HelmRepositoryObj = Obj<'definition', typeof HelmRepositorySpec, typeof HelmRepositoryStatus>;
export type HelmRepositoryNeed = 'secrets' | 'artifacts' | 'charts';

/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: 'registry' }>
  | Readonly<{ at: 'unsupported'; message: string }>
  | Readonly<{ at: 'urlInvalid'; message: string }>
  | Readonly<{ at: 'failed'; reason: FetchReason; message: string; retryAfterMs?: number }>
  /** This pass has tried to store an index; the status tells how it went. */
  | Readonly<{ at: 'stored' }>
  | Readonly<{ at: 'unchanged' }>
  | Readonly<{ at: 'index'; file: string; revision: string; mark: IndexMark; isStored: boolean }>;
export type FetchReason = 'Failed' | 'AuthenticationFailed' | 'AccessDenied';

const DEFAULT_TIMEOUT_MS = 60_000;
export const ETAG = 'etag';
export const LAST_MODIFIED = 'last-modified';

/** One conditional GET of the index per pass. */
export async function observe(ctx: Ctx<HelmRepositoryNeed>, obj: HelmRepositoryObj): Promise<Seen> {
  const { spec, status } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return { at: 'unsupported', message: unsupported };
  if (spec.type === 'oci') return { at: 'registry' };
  const problem = urlProblem(spec.url);
  if (problem !== null) return { at: 'urlInvalid', message: problem };
  if (obj.done.includes('store')) return { at: 'stored' };
  const login = await logIn(ctx, obj);
  if (login.is === 'failed') return { at: 'failed', reason: 'AuthenticationFailed', message: login.message };
  const isStored = status?.artifact !== undefined && (await ctx.artifacts.has(status.artifact.digest));
  try {
    const look = await ctx.charts.lookAtIndex(login.remote, isStored ? markOf(obj) : null, ctx.signal);
    if (look.is === 'unchanged') return { at: 'unchanged' };
    if (look.is === 'refused') return { at: 'failed', reason: 'Failed', message: `failed to fetch Helm repository index: ${look.message}` };
    return { at: 'index', file: look.file, revision: look.revision, mark: look.mark, isStored };
  } catch (error) {
    const failure = fetchFailure(error);
    if (failure === null) throw error;
    return { at: 'failed', ...failure };
  }
}

/** What the server said of the index that is stored, when it was fetched for this very spec. */
function markOf({ definition, status }: HelmRepositoryObj): IndexMark | null {
  const metadata = status?.artifact?.metadata;
  if (metadata === undefined || status?.observedGeneration !== definition.generation) return null;
  return { etag: metadata[ETAG] ?? null, lastModified: metadata[LAST_MODIFIED] ?? null };
}

function urlProblem(url: string): string | null {
  if (url.startsWith('oci://')) return "invalid Helm repository URL: the scheme oci needs spec.type 'oci'";
  const parsed = URL.parse(url);
  return parsed === null || parsed.hostname === '' ? 'invalid Helm repository URL: it is no address' : null;
}

async function logIn(ctx: Pick<Ctx<HelmRepositoryNeed>, 'secrets'>, { definition, spec }: HelmRepositoryObj): Promise<ChartLogin> {
  const secrets: Record<'login' | 'tls', NamedSecret | null> = { login: null, tls: null };
  for (const [use, ref] of [
    ['login', spec.secretRef],
    ['tls', spec.certSecretRef],
  ] as const) {
    if (ref === undefined) continue;
    const shown = `${definition.namespace}/${ref.name}`;
    const values = await ctx.secrets.read(definition.namespace, ref.name);
    if (values === null) return { is: 'failed', message: `failed to get secret '${shown}': it does not exist` };
    secrets[use] = { shown, values };
  }
  return chartLogin({ url: spec.url, passCredentials: spec.passCredentials === true, timeoutMs: indexTimeoutMs(spec) }, secrets);
}

export function indexTimeoutMs(spec: HelmRepositorySpec): number {
  return durationMs(spec.timeout, DEFAULT_TIMEOUT_MS);
}

function fetchFailure(error: unknown): Readonly<{ reason: FetchReason; message: string; retryAfterMs?: number }> | null {
  if (!(error instanceof AppError)) return null;
  const { retryAfterMs } = error.details;
  switch (error.code) {
    case 'upstreamFailed':
    case 'upstreamTooLarge':
      return {
        reason: 'Failed',
        message: `failed to fetch Helm repository index: ${error.message}`,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
    case 'upstreamAuthFailed':
      return { reason: 'AuthenticationFailed', message: `failed to fetch Helm repository index: ${error.message}` };
    case 'egressDenied':
      return { reason: 'AccessDenied', message: `spec.url: ${error.message}` };
    default:
      return null;
  }
}
