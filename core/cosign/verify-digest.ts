import { AppError } from '#core/errors.ts';
import type { Registry, RegistryManifest, RegistryRemote } from '#core/registry.ts';
import type { Judge, Judgement } from './judge.ts';
import { BUNDLE, SIMPLE_SIGNING } from './signed.ts';

/** `by` as the judge names the signer. */
export type Verdict = Readonly<{ is: 'verified'; by: string }> | Readonly<{ is: 'refused'; message: string }>;

type Looking = Readonly<{
  registry: Registry;
  remote: RegistryRemote;
  digest: string;
  judge: Judge;
  /** What is left of the time for all of it. */
  limits(): Readonly<{ timeoutMs: number }>;
  signal: AbortSignal;
}>;

/** Read and judged at most; whoever may push can add any number (threats J7). */
const MAX_SIGNATURES = 100;
const MAX_PAYLOAD_BYTES = 65_536;
const MAX_BUNDLE_BYTES = 1_048_576;

/** Whether somebody whom the judge trusts signed this digest with cosign: below the tag `sha256-<hex>.sig`, or as a bundle that refers to it. Refused unless proven. */
export async function verifyDigest(looking: Looking): Promise<Verdict> {
  const { digest } = looking;
  const reasons: string[] = [];
  try {
    for await (const one of candidates(looking)) {
      if (one.is === 'signed') return { is: 'verified', by: one.by };
      reasons.push(one.why);
      if (reasons.length >= MAX_SIGNATURES) return refused(`none of the first ${MAX_SIGNATURES} signatures of '${digest}' fits`);
    }
  } catch (error) {
    if (!(error instanceof AppError) || !UPSTREAM.has(error.code)) throw error;
    return refused(error.message);
  }
  const why = [...new Set(reasons)];
  return refused(`no matching signatures were found for '${digest}'${why.length === 0 ? '' : `: ${why.join('; ')}`}`);
}

const UPSTREAM: ReadonlySet<string> = Object.freeze(
  new Set(['upstreamFailed', 'upstreamAuthFailed', 'upstreamTooLarge', 'egressDenied', 'notFound']),
);

async function* candidates(looking: Looking): AsyncGenerator<Judgement> {
  yield* belowTag(looking);
  yield* bundles(looking);
}

async function* belowTag({ registry, remote, digest, judge, limits, signal }: Looking): AsyncGenerator<Judgement> {
  const tag = `${digest.replace(':', '-')}.sig`;
  const signatures = await orNull(registry.resolve(remote, tag, limits(), signal));
  if (signatures === null) return;
  const { layers } = await registry.manifest(remote, signatures, limits(), signal);
  for (const layer of layers) {
    if (layer.mediaType !== SIMPLE_SIGNING) continue;
    yield await judged(async () => {
      const payload = await registry.read(remote, layer, { maxBytes: MAX_PAYLOAD_BYTES }, limits(), signal);
      return judge.simple(payload, layer.annotations, digest);
    });
  }
}

async function* bundles({ registry, remote, digest, judge, limits, signal }: Looking): AsyncGenerator<Judgement> {
  for (const { digest: named } of await registry.referrers(remote, digest, limits(), signal)) {
    yield await judged(async () => {
      const layer = bundleLayer(await registry.manifest(remote, named, limits(), signal));
      if (layer === undefined) return { is: 'not', why: 'what refers to it is no bundle' };
      return judge.bundle(await registry.read(remote, layer, { maxBytes: MAX_BUNDLE_BYTES }, limits(), signal), digest);
    });
  }
}

/** One that cannot be read is no signature; it does not hide the others, which anybody who may push could otherwise do. */
async function judged(judging: () => Promise<Judgement>): Promise<Judgement> {
  try {
    return await judging();
  } catch (error) {
    if (!(error instanceof AppError) || !UPSTREAM.has(error.code)) throw error;
    return { is: 'not', why: error.message };
  }
}

/** What the manifest itself says counts; the list of referrers is anybody's word. */
function bundleLayer({ artifactType, layers }: RegistryManifest): RegistryManifest['layers'][number] | undefined {
  const [first] = layers;
  return first !== undefined && BUNDLE.test(artifactType ?? first.mediaType) && BUNDLE.test(first.mediaType) ? first : undefined;
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof AppError && error.code === 'notFound') return null;
    throw error;
  }
}

function refused(message: string): Verdict {
  return { is: 'refused', message };
}
