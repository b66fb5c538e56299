import { AppError } from '#core/errors.ts';
import { registryLogin } from '#core/image/login.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import { chooseTag } from './choose.ts';
import { findRepository, type Repository } from './repository.ts';
import type { ImagePolicySpec, ImagePolicyStatus, ImageRef } from './schema.ts';

export type ImagePolicyObj = Obj<'definition', typeof ImagePolicySpec, typeof ImagePolicyStatus>;
export type ImagePolicyNeed = 'lookup' | 'secrets' | 'registry' | 'patterns' | 'imageTags';

type Problem = 'missing' | 'denied' | 'imageInvalid' | 'invalid' | 'noInterval' | 'failed';
/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: Problem; message: string; retryAfterMs?: number }>
  | Readonly<{ at: 'chosen'; ref: ImageRef; isHeld: boolean }>;

const RESOLVE_MS = 30_000;

/** Chooses among the stored tags, and asks the registry for a digest only where the policy wants one. */
export async function observe(ctx: Ctx<ImagePolicyNeed>, obj: ImagePolicyObj): Promise<Seen> {
  const { definition, spec } = obj;
  if (spec.digestReflectionPolicy === 'Always' && spec.interval === undefined)
    return { at: 'noInterval', message: 'spec.interval must be set when spec.digestReflectionPolicy is Always' };
  const repository = await findRepository(ctx.lookup, definition, spec.imageRepositoryRef);
  if (repository.is !== 'found') return { at: repository.is, message: repository.message };
  const stored = repository.isScanned ? await ctx.imageTags.read(repository.object.uid) : null;
  if (stored === null)
    return {
      at: 'missing',
      message: `ImageRepository ${repository.object.namespace}/${repository.object.name} has no tags of ${repository.image} yet; see its conditions`,
    };
  const choice = chooseTag(spec, stored.tags, heldTag(obj, repository.image), ctx.patterns);
  if (choice.is !== 'chosen')
    return choice.is === 'invalid'
      ? { at: 'invalid', message: choice.message }
      : { at: 'failed', message: `failed to select a tag: ${choice.message}` };
  const plain: ImageRef = { name: repository.image, tag: choice.tag };
  const known = knownDigest(obj, plain);
  if (!wantsDigest(spec, known, choice.isHeld)) return { at: 'chosen', ref: withDigest(plain, spec, known), isHeld: choice.isHeld };
  return resolved(ctx, repository, plain);
}

/** The earlier choice stands as long as the policy and the image are the same. */
function heldTag({ definition, status }: ImagePolicyObj, image: string): string | null {
  const latest = status?.latestRef;
  return latest !== undefined && latest.name === image && status?.observedGeneration === definition.generation ? latest.tag : null;
}

function knownDigest({ status }: ImagePolicyObj, { name, tag }: ImageRef): string | null {
  const latest = status?.latestRef;
  return latest !== undefined && latest.name === name && latest.tag === tag ? (latest.digest ?? null) : null;
}

function wantsDigest(spec: ImagePolicySpec, known: string | null, isHeld: boolean): boolean {
  switch (spec.digestReflectionPolicy ?? 'Never') {
    case 'Never':
      return false;
    case 'IfNotPresent':
      return known === null;
    case 'Always':
      // A tag that is gone has no digest to ask for.
      return !isHeld;
  }
}

function withDigest(ref: ImageRef, spec: ImagePolicySpec, known: string | null): ImageRef {
  return known === null || (spec.digestReflectionPolicy ?? 'Never') === 'Never' ? ref : { ...ref, digest: known };
}

async function resolved(ctx: Ctx<ImagePolicyNeed>, repository: Extract<Repository, { is: 'found' }>, ref: ImageRef): Promise<Seen> {
  const login = await registryLogin(ctx, repository.object.namespace, repository.name, repository.spec);
  if (login.is === 'failed') return { at: 'failed', message: `failed to get the digest of ${ref.name}:${ref.tag}: ${login.message}` };
  try {
    const digest = await ctx.registry.resolve(login.remote, ref.tag, { timeoutMs: RESOLVE_MS }, ctx.signal);
    return { at: 'chosen', ref: { ...ref, digest }, isHeld: false };
  } catch (error) {
    if (!(error instanceof AppError) || !REMOTE.has(error.code)) throw error;
    const { retryAfterMs } = error.details;
    return {
      at: 'failed',
      message: `failed to get the digest of ${ref.name}:${ref.tag}: ${error.message}`,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
}

const REMOTE: ReadonlySet<string> = Object.freeze(
  new Set(['upstreamFailed', 'upstreamAuthFailed', 'upstreamTooLarge', 'egressDenied', 'notFound']),
);
