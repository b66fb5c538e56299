import { IMAGE_ORDER } from '#core/consequences.ts';
import { AppError } from '#core/errors.ts';
import { registryLogin } from '#core/image/login.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { RegistryRemote } from '#core/registry.ts';
import { type Choice, chooseTag } from './choose.ts';
import { newestTag } from './newest.ts';
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
  const choice = await chosenBy(ctx, obj, repository, stored.tags);
  if ('at' in choice) return choice;
  if (choice.is !== 'chosen')
    return choice.is === 'invalid'
      ? { at: 'invalid', message: choice.message }
      : { at: 'failed', message: `failed to select a tag: ${choice.message}` };
  const plain: ImageRef = { name: repository.image, tag: choice.tag };
  const known = knownDigest(obj, plain);
  if (!wantsDigest(spec, known, choice.isHeld)) return { at: 'chosen', ref: withDigest(plain, spec, known), isHeld: choice.isHeld };
  return resolved(ctx, repository, plain);
}

type FoundRepository = Extract<Repository, { is: 'found' }>;

/** By the tags' own texts, or by when they were built. */
async function chosenBy(
  ctx: Ctx<ImagePolicyNeed>,
  obj: ImagePolicyObj,
  repository: FoundRepository,
  tags: readonly string[],
): Promise<Choice | Seen> {
  const { definition, spec } = obj;
  const held = heldTag(obj, repository.image);
  const order = definition.annotations[IMAGE_ORDER];
  if (order === undefined || order === '') return chooseTag(spec, tags, held, ctx.patterns);
  if (order !== 'created') return { is: 'invalid', message: `invalid policy: the annotation ${IMAGE_ORDER} can only be 'created'` };
  return asking(ctx, repository, 'failed to ask when tags were built', async (remote) =>
    newestTag(ctx, { spec, tags, held, patterns: ctx.patterns, remote }),
  );
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

async function resolved(ctx: Ctx<ImagePolicyNeed>, repository: FoundRepository, ref: ImageRef): Promise<Seen> {
  return asking(ctx, repository, `failed to get the digest of ${ref.name}:${ref.tag}`, async (remote) => {
    const digest = await ctx.registry.resolve(remote, ref.tag, { timeoutMs: RESOLVE_MS }, ctx.signal);
    return { at: 'chosen', ref: { ...ref, digest }, isHeld: false } as const;
  });
}

/** Asks the registry with the repository's credential; what is its fault, or the credential's, is a failure of the run. */
async function asking<T>(
  ctx: Ctx<ImagePolicyNeed>,
  repository: FoundRepository,
  what: string,
  ask: (remote: RegistryRemote) => Promise<T>,
): Promise<T | Extract<Seen, { at: Problem }>> {
  const login = await registryLogin(ctx, repository.object.namespace, repository.name, repository.spec);
  if (login.is === 'failed') return { at: 'failed', message: `${what}: ${login.message}` };
  try {
    return await ask(login.remote);
  } catch (error) {
    if (!(error instanceof AppError) || !REMOTE.has(error.code)) throw error;
    const { retryAfterMs } = error.details;
    return { at: 'failed', message: `${what}: ${error.message}`, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}

const REMOTE: ReadonlySet<string> = Object.freeze(
  new Set(['upstreamFailed', 'upstreamAuthFailed', 'upstreamTooLarge', 'egressDenied', 'notFound']),
);
