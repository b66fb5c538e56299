import { AppError } from '#core/errors.ts';
import { beginningIn } from '#core/git-beginning.ts';
import { commitDigest } from '#core/git-values.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { GitRef } from '#core/ports.ts';
import { removedField } from './message.ts';
import { folderOf, type Places, placesOf } from './places.ts';
import { readPolicies, selectorProblem } from './policies.ts';
import type { ImageUpdateAutomationSpec, ImageUpdateAutomationStatus, Policies } from './schema.ts';
import { findSource, type Source } from './source.ts';

export type AutomationObj = Obj<'definition', typeof ImageUpdateAutomationSpec, typeof ImageUpdateAutomationStatus>;
export type AutomationNeed = 'lookup' | 'secrets' | 'git' | 'gitWriter' | 'setters' | 'wakes';

export type Found = Readonly<{ source: Extract<Source, { is: 'source' }>; places: Extract<Places, { is: 'places' }>; folder: string }>;
type Problem = 'unsupported' | 'foreign' | 'sourceInvalid' | 'sourceUnavailable' | 'templateField' | 'selector';
/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: Problem; message: string }>
  /** This pass has looked through the files; the status tells how it went. */
  | Readonly<{ at: 'written' }>
  | Readonly<{ at: 'remote'; policies: Policies; revision: string }>;

/** One ls-remote per pass: with the same policies and the same head nothing is fetched. */
export async function observe(ctx: Ctx<AutomationNeed>, obj: AutomationObj): Promise<Seen> {
  if (obj.done.includes('write')) return { at: 'written' };
  const found = await find(ctx, obj);
  if ('at' in found) return found;
  const policies = await readPolicies(ctx.lookup, obj.definition.namespace, obj.spec.policySelector);
  const { source, places } = found;
  const advertised = await asGitFailure(() => ctx.git.look(source.remote, { timeoutMs: source.timeoutMs }, ctx.signal));
  return { at: 'remote', policies, revision: headOf(places, advertised) };
}

/** What a run works with, or why there is none. */
export async function find(
  ctx: Pick<Ctx<AutomationNeed>, 'lookup' | 'secrets'>,
  { definition, spec }: AutomationObj,
): Promise<Found | Readonly<{ at: Problem; message: string }>> {
  const selector = selectorProblem(spec.policySelector);
  if (selector !== null) return { at: 'selector', message: selector };
  if (spec.git === undefined) return { at: 'sourceInvalid', message: 'spec.git is needed: say with spec.git.commit.author who commits' };
  const removed = removedField(spec.git.commit.messageTemplate ?? '');
  if (removed !== null)
    return {
      at: 'templateField',
      message: `spec.git.commit.messageTemplate uses ${removed}, which Flux has removed: use .Changed.FileChanges, .Changed.Objects or .Changed.Changes`,
    };
  const folder = folderOf(spec.update?.path);
  if (folder === null) return { at: 'sourceInvalid', message: 'spec.update.path must be a folder inside the repository' };
  const source = await findSource(ctx, definition, spec.sourceRef);
  if (source.is !== 'source') return { at: source.is === 'unavailable' ? 'sourceUnavailable' : source.is, message: source.message };
  const places = placesOf(spec.git, source.spec);
  if (places.is !== 'places') return { at: 'sourceInvalid', message: places.message };
  return { source, places, folder };
}

/** The branch and where it is; of one that does not exist yet, where it would begin. */
function headOf({ branch, from }: Found['places'], advertised: readonly GitRef[]): string {
  const head = advertised.find(({ name }) => name === `refs/heads/${branch}`) ?? beginningIn(from, advertised);
  return typeof head === 'string' ? '' : revisionOf(branch, head.commit);
}

export function revisionOf(branch: string, commit: string): string {
  return `${branch}@${commitDigest(commit)}`;
}

/** A refused login is one of the ways in which a git operation fails (definitions.md 5.3). */
export async function asGitFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'gitAuthFailed')
      throw new AppError('gitFailed', error.message, error.details, { cause: error });
    throw error;
  }
}
