import { Value } from 'typebox/value';
import { AppError } from '#core/errors.ts';
import { type Loss, selectTag } from '#core/image/select.ts';
import type { ImageTags } from '#core/image/tags.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';
import type { Lookup, Patterns } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import { chooseTag, filterOf, ruleOf } from '#kinds/image-policy/choose.ts';
import { findRepository } from '#kinds/image-policy/repository.ts';
import { ImagePolicySpec } from '#kinds/image-policy/schema.ts';

type Ports = Readonly<{ lookup: Lookup; imageTags: ImageTags; patterns: Patterns }>;
type Asking = Readonly<{ limit: number; asked(key: string): string | undefined }>;

/** Patterns run here in the API's own thread: more tags would hold up others. */
const MAX_TAGS = 20_000;
const MAX_TEXT = 1_024;
/** Those that came nearest first. */
const ORDER: readonly Loss['why'][] = Object.freeze(['equal', 'beaten', 'outsideRange', 'noVersion', 'filtered']);

/** What a policy, or another rule in its place, would choose now, with at most `limit` of the tags that lost. Throws AppError badRequest for a rule that is none. */
export async function choiceOf(
  { lookup, imageTags, patterns }: Ports,
  policy: StoredObject,
  { limit, asked }: Asking,
): Promise<JsonObject> {
  const { spec, isTrial } = wantedSpec(policy, asked);
  const repository = await findRepository(lookup, policy, spec.imageRepositoryRef);
  if (repository.is !== 'found') return none(repository.message);
  const { image, object } = repository;
  const stored = repository.isScanned ? await imageTags.read(object.uid) : null;
  if (stored === null)
    return none(`ImageRepository ${object.namespace}/${object.name} has no tags of ${image} yet; see its conditions`, image);
  if (stored.tags.length > MAX_TAGS)
    throw new AppError(
      'badRequest',
      `${image} has ${stored.tags.length} tags, and at most ${MAX_TAGS} are explained: narrow exclusionList of the ImageRepository`,
    );
  const choice = chooseTag(spec, stored.tags, isTrial ? null : heldTag(policy, image), patterns);
  const losses = lossesOf(spec, stored.tags, patterns);
  const counts: Record<string, number> = {};
  for (const { why } of losses) counts[why] = (counts[why] ?? 0) + 1;
  return {
    image,
    chosen: choice.is === 'chosen' ? choice.tag : null,
    isHeld: choice.is === 'chosen' && choice.isHeld,
    message: choice.is === 'chosen' ? '' : choice.message,
    total: stored.tags.length,
    counts,
    losses: losses.slice(0, limit),
  };
}

function none(message: string, image = ''): JsonObject {
  return { image, chosen: null, isHeld: false, message, total: 0, counts: {}, losses: [] };
}

function lossesOf(spec: ImagePolicySpec, tags: readonly string[], patterns: Patterns): readonly (Readonly<{ tag: string }> & Loss)[] {
  const rule = ruleOf(spec);
  const losses: (Readonly<{ tag: string }> & Loss)[] = [];
  if (rule !== null) selectTag({ rule, filter: filterOf(spec), patterns }, tags, (tag, loss) => losses.push({ tag, ...loss }));
  return losses.toSorted((left, right) => ORDER.indexOf(left.why) - ORDER.indexOf(right.why) || (left.tag < right.tag ? 1 : -1));
}

/** The stored spec, with the rule and the filter of the question where it has them. */
function wantedSpec({ body }: StoredObject, asked: Asking['asked']): Readonly<{ spec: ImagePolicySpec; isTrial: boolean }> {
  const spec: unknown = body['spec'];
  // The API validated it with the same schema: anything else is our bug.
  if (!Value.Check(ImagePolicySpec, spec)) throw new Error('a stored ImagePolicy does not fit its own schema');
  const [semver, alphabetical, numerical] = ['semver', 'alphabetical', 'numerical'].map((key) => short(key, asked(key)));
  const [pattern, extract] = ['pattern', 'extract'].map((key) => short(key, asked(key)));
  const rules = [semver, alphabetical, numerical].filter((one) => one !== undefined);
  if (rules.length > 1) throw new AppError('badRequest', 'name one of semver, alphabetical and numerical');
  const policy =
    semver !== undefined
      ? { semver: { range: semver } }
      : alphabetical !== undefined
        ? { alphabetical: { order: order('alphabetical', alphabetical) } }
        : numerical !== undefined
          ? { numerical: { order: order('numerical', numerical) } }
          : spec.policy;
  const isFiltered = pattern !== undefined || extract !== undefined;
  const filter = { pattern: pattern ?? spec.filterTags?.pattern ?? '', extract: extract ?? spec.filterTags?.extract ?? '' };
  return { spec: { ...spec, policy, ...(isFiltered ? { filterTags: filter } : {}) }, isTrial: rules.length > 0 || isFiltered };
}

function short(key: string, text: string | undefined): string | undefined {
  if (text !== undefined && text.length > MAX_TEXT) throw new AppError('badRequest', `${key} must be at most ${MAX_TEXT} characters`);
  return text;
}

function order(key: string, text: string): 'asc' | 'desc' {
  if (text === 'asc' || text === 'desc') return text;
  throw new AppError('badRequest', `${key} must be asc or desc`);
}

/** The earlier choice stands as long as policy and image are the same; the worker's own run goes by it too. */
function heldTag({ status, generation }: StoredObject, image: string): string | null {
  const latest = at(status ?? {}, 'latestRef');
  const isOfThis = textAt(latest, 'name') === image && at(status ?? {}, 'observedGeneration') === generation;
  return isOfThis ? (textAt(latest, 'tag') ?? null) : null;
}
