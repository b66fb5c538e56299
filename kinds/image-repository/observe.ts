import { durationMs } from '#core/duration.ts';
import { AppError } from '#core/errors.ts';
import { registryLogin } from '#core/image/login.ts';
import { type ImageName, parseImageName } from '#core/image/name.ts';
import { canonicalJson } from '#core/json.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { Patterns } from '#core/ports.ts';
import { type Pattern, type Scan, scanTags } from './scan.ts';
import type { ImageRepositorySpec, ImageRepositoryStatus } from './schema.ts';
import { unsupportedField } from './unsupported.ts';

export type ImageRepositoryObj = Obj<'definition', typeof ImageRepositorySpec, typeof ImageRepositoryStatus>;
export type ImageRepositoryNeed = 'lookup' | 'secrets' | 'registry' | 'patterns' | 'imageTags';

export type ScanFailure = 'AuthenticationFailed' | 'ReadOperationFailed' | 'AccessDenied';
/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: 'unsupported'; message: string }>
  | Readonly<{ at: 'imageInvalid'; message: string }>
  | Readonly<{ at: 'failed'; reason: ScanFailure; message: string; retryAfterMs?: number }>
  /** This pass has stored what it found. */
  | Readonly<{ at: 'stored' }>
  /** The registry says what it said for the tags that are stored and shown. */
  | Readonly<{ at: 'same' }>
  | Readonly<{
      at: 'scanned';
      canonical: string;
      exclusions: readonly string[];
      scan: Extract<Scan, { is: 'listed' }>;
      isStored: boolean;
    }>;

const DEFAULT_EXCLUSIONS: readonly string[] = Object.freeze(['^.*\\.sig$']);
const MAX_SCAN_MS = 10 * 60_000;
const MIN_SCAN_MS = 1_000;

/** One listing of the tags per pass; after they are stored nothing is asked again. */
export async function observe(ctx: Ctx<ImageRepositoryNeed>, obj: ImageRepositoryObj): Promise<Seen> {
  const { spec } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return { at: 'unsupported', message: unsupported };
  const image = parseImageName(spec.image);
  if (typeof image === 'string') return { at: 'imageInvalid', message: `failed to parse image: '${spec.image.slice(0, 300)}' ${image}` };
  if (obj.done.includes('store')) return { at: 'stored' };
  const exclusions = spec.exclusionList ?? DEFAULT_EXCLUSIONS;
  const excluded = compileAll(ctx.patterns, exclusions);
  if (typeof excluded === 'string') return { at: 'failed', reason: 'ReadOperationFailed', message: excluded };
  const login = await registryLogin(ctx, obj.definition.namespace, image, spec);
  if (login.is === 'failed') return { at: 'failed', reason: 'AuthenticationFailed', message: login.message };
  try {
    const stored = await ctx.imageTags.head(obj.definition.uid);
    const known = listingOf(obj, stored, image.canonical, exclusions);
    const scan = await scanTags(ctx.registry, login.remote, { excluded, known, timeoutMs: scanTimeoutMs(spec) }, ctx.signal);
    if (scan.is === 'same') return { at: 'same' };
    return {
      at: 'scanned',
      canonical: image.canonical,
      exclusions,
      scan,
      isStored: stored?.revision === scan.revision && stored.listing === scan.listing,
    };
  } catch (error) {
    const failure = scanFailure(error, image);
    if (failure === null) throw error;
    return { at: 'failed', ...failure };
  }
}

/** The stored listing, as long as it was read for this image with these exclusions. */
function listingOf(
  { status }: ImageRepositoryObj,
  stored: Awaited<ReturnType<Ctx<ImageRepositoryNeed>['imageTags']['head']>>,
  canonical: string,
  exclusions: readonly string[],
): string | null {
  if (stored === null || stored.listing === '' || status === null) return null;
  const isOfThis =
    status.lastScanResult?.revision === stored.revision &&
    status.canonicalImageName === canonical &&
    canonicalJson([...(status.observedExclusionList ?? [])]) === canonicalJson([...exclusions]);
  return isOfThis ? stored.listing : null;
}

function compileAll(patterns: Patterns, sources: readonly string[]): readonly Pattern[] | string {
  const compiled: Pattern[] = [];
  for (const source of sources) {
    const one = patterns.compile(source);
    if (one.is === 'invalid') return `failed to compile regex '${source.slice(0, 100)}' of spec.exclusionList: ${one.message}`;
    compiled.push(one);
  }
  return compiled;
}

export function scanTimeoutMs(spec: ImageRepositorySpec): number {
  return Math.max(MIN_SCAN_MS, Math.min(MAX_SCAN_MS, durationMs(spec.timeout, durationMs(spec.interval, MAX_SCAN_MS))));
}

/** How a failure of the registry port is shown; null for what is not the registry's or the credential's fault. */
function scanFailure(error: unknown, image: ImageName): Readonly<{ reason: ScanFailure; message: string; retryAfterMs?: number }> | null {
  if (!(error instanceof AppError)) return null;
  const { retryAfterMs } = error.details;
  const message = `scan of ${image.canonical} failed: ${error.message}`;
  switch (error.code) {
    case 'upstreamAuthFailed':
      return { reason: 'AuthenticationFailed', message };
    case 'egressDenied':
      return { reason: 'AccessDenied', message };
    case 'upstreamFailed':
    case 'upstreamTooLarge':
    case 'notFound':
      return { reason: 'ReadOperationFailed', message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    default:
      return null;
  }
}
