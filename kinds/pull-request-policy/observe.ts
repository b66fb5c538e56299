import { AppError } from '#core/errors.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { ForgeLimits, PullRequest } from '#core/pull-requests.ts';
import { type Server, serverOf } from './remote.ts';
import type { PullRequestPolicySpec, PullRequestPolicyStatus, Request } from './schema.ts';
import { findTargets, type Target, targetKey } from './targets.ts';

export type PolicyObj = Obj<'definition', typeof PullRequestPolicySpec, typeof PullRequestPolicyStatus>;
export type PolicyNeed = 'lookup' | 'secrets' | 'pullRequests';
export const FORGE_LIMITS: ForgeLimits = Object.freeze({ timeoutMs: 30_000 });

/** A target and what the server has for it. */
export type Look =
  | Readonly<{ target: Target; is: 'seen'; request: PullRequest | null; isAhead: boolean }>
  | Readonly<{ target: Target; is: 'failed'; message: string }>;
/** A request of an earlier run that no automation pushes to any more. */
export type Left =
  | Readonly<{ entry: Request; is: 'seen'; request: PullRequest | null }>
  | Readonly<{ entry: Request; is: 'failed'; message: string }>;

/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: 'invalid'; message: string }>
  | Readonly<{ at: 'noCredential'; message: string }>
  /** This pass has changed requests; the status says what came of it. */
  | Readonly<{ at: 'synced'; unknown: readonly string[] }>
  | Readonly<{ at: 'seen'; looks: readonly Look[]; left: readonly Left[]; kept: readonly Request[]; unknown: readonly string[] }>;

/** At most two questions per target. A target that cannot be looked at does not stop the others. */
export async function observe(ctx: Ctx<PolicyNeed>, obj: PolicyObj): Promise<Seen> {
  const { definition, spec, status } = obj;
  const found = await findTargets(ctx.lookup, definition, spec);
  if (found.is === 'invalid') return { at: 'invalid', message: found.message };
  const unknown = found.unknown.map(({ message }) => message);
  if (obj.done.includes('sync')) return { at: 'synced', unknown };
  const login = await serverOf(ctx.secrets, definition.namespace, spec);
  if (login.is === 'failed') return { at: 'noCredential', message: login.message };
  const looks: Look[] = [];
  for (const target of found.targets) looks.push(await lookAt(ctx, login.server, target));
  const wanted = new Set(found.targets.map(targetKey));
  const unsure = new Set([...found.unknown.map(({ automation }) => automation), ...found.quiet]);
  const earlier = (status?.requests ?? []).filter((entry) => !wanted.has(targetKey(entry)));
  const kept = earlier.filter(({ automations }) => automations.some((name) => unsure.has(name)));
  const left: Left[] = [];
  // Others are over, and forgotten.
  for (const entry of earlier)
    if ((entry.state === 'Open' || entry.state === 'Failed') && !kept.includes(entry))
      left.push(await lookAtLeft(ctx, login.server, entry));
  return { at: 'seen', looks, left, kept, unknown };
}

async function lookAt(ctx: Ctx<PolicyNeed>, server: Server, target: Target): Promise<Look> {
  const remote = { ...server, repository: target.repository };
  return orFailure(
    async (): Promise<Look> => {
      const request = await ctx.pullRequests.newest(remote, target, FORGE_LIMITS, ctx.signal);
      // Of one that was merged or turned down at this commit nothing more is to be known.
      const isAhead = !isOverAt(request, target.commit) && (await ctx.pullRequests.isAhead(remote, target, FORGE_LIMITS, ctx.signal));
      return { target, is: 'seen', request, isAhead };
    },
    (message) => ({ target, is: 'failed', message }),
  );
}

async function lookAtLeft(ctx: Ctx<PolicyNeed>, server: Server, entry: Request): Promise<Left> {
  const remote = { ...server, repository: entry.repository };
  return orFailure(
    async (): Promise<Left> => ({ entry, is: 'seen', request: await ctx.pullRequests.newest(remote, entry, FORGE_LIMITS, ctx.signal) }),
    // With its repository the request is gone as well.
    (message, code) => (code === 'notFound' ? { entry, is: 'seen', request: null } : { entry, is: 'failed', message }),
  );
}

/** Merged, or closed by a person, at a commit: only a newer commit asks again. Pure. */
export function isOverAt(request: PullRequest | null, commit: string): boolean {
  if (request === null || request.state === 'open' || request.headCommit.length < 12) return false;
  return commit.startsWith(request.headCommit);
}

/** What concerns one repository is its own failure; a refused credential or address concerns all. */
export async function orFailure<T>(
  work: () => Promise<T>,
  failed: (message: string, code: 'notFound' | 'upstreamFailed' | 'upstreamTooLarge') => T,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOwn = error instanceof AppError && error.details.retryAfterMs === undefined;
    if (isOwn && (error.code === 'notFound' || error.code === 'upstreamFailed' || error.code === 'upstreamTooLarge'))
      return failed(error.message, error.code);
    throw error;
  }
}
