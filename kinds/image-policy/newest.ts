import { IMAGE_ORDER } from '#core/consequences.ts';
import { AppError } from '#core/errors.ts';
import { takingPart } from '#core/image/select.ts';
import type { Ctx } from '#core/kind.ts';
import type { Patterns } from '#core/ports.ts';
import type { RegistryRemote } from '#core/registry.ts';
import { type Choice, filterOf, ruleOf } from './choose.ts';
import type { ImagePolicySpec } from './schema.ts';

/** Each costs a question at every choice, and two more when it is seen for the first time. */
const MAX_TAGS = 200;
const AT_ONCE = 8;
const ASK_MS = 20_000;

type Timed = Readonly<{ tag: string; atMs: number }>;
type Want = Readonly<{ spec: ImagePolicySpec; tags: readonly string[]; held: string | null; patterns: Patterns; remote: RegistryRemote }>;

/**
 * The tag whose image was built last, of those that the filter and the range let through; of several from the same moment the last in byte order. A tag that was chosen and has
 * vanished is kept while what is left was built before it, or while nobody knows when it was built itself. Throws what the registry throws.
 */
export async function newestTag(
  ctx: Pick<Ctx<'registry'>, 'registry' | 'signal'>,
  { spec, tags, held, patterns, remote }: Want,
): Promise<Choice> {
  const rule = ruleOf(spec);
  if (rule === null) return { is: 'invalid', message: 'invalid policy: spec.policy needs one of semver, alphabetical and numerical' };
  const found = takingPart({ rule, filter: filterOf(spec), patterns }, tags);
  if (found.is === 'invalid') return { is: 'invalid', message: `invalid policy: ${found.message}` };
  if (found.is === 'none') return found;
  if (found.tags.length > MAX_TAGS)
    return {
      is: 'none',
      message: `${found.tags.length} tags take part, and with ${IMAGE_ORDER}: created each is asked when it was built, ${MAX_TAGS} at most: narrow spec.filterTags.pattern`,
    };
  const timed: Timed[] = [];
  for (let from = 0; from < found.tags.length; from += AT_ONCE)
    for (const one of await Promise.all(found.tags.slice(from, from + AT_ONCE).map((tag) => timeOf(ctx, remote, tag))))
      if (one !== null) timed.push(one);
  const newest = timed.reduce<Timed | null>((best, one) => (best === null || isLater(one, best) ? one : best), null);
  if (newest === null) return { is: 'none', message: `none of the ${found.tags.length} tags that take part says when it was built` };
  if (held === null || held === newest.tag || tags.includes(held)) return { is: 'chosen', tag: newest.tag, isHeld: false };
  const gone = await timeOf(ctx, remote, held);
  const isHeld = gone === null || isLater(gone, newest);
  return { is: 'chosen', tag: isHeld ? held : newest.tag, isHeld };
}

/** Null for a tag that says no time, or that went after it was listed. */
async function timeOf(
  { registry, signal }: Pick<Ctx<'registry'>, 'registry' | 'signal'>,
  remote: RegistryRemote,
  tag: string,
): Promise<Timed | null> {
  try {
    const { atMs } = await registry.built(remote, tag, { timeoutMs: ASK_MS }, signal);
    return atMs === null ? null : { tag, atMs };
  } catch (error) {
    if (error instanceof AppError && error.code === 'notFound') return null;
    throw error;
  }
}

function isLater(left: Timed, right: Timed): boolean {
  return left.atMs === right.atMs ? left.tag > right.tag : left.atMs > right.atMs;
}
