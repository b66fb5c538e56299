import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#core/errors.ts';
import { type Begun, beginningIn } from '#core/git-beginning.ts';
import { isShortRefName } from '#core/git-values.ts';
import { type GitWriter, UPDATE_TRAILER, type WriteWant } from '#core/git-writer.ts';
import type { GitRef, GitRemote, Turns } from '#core/ports.ts';
import { tenantKey } from '#core/tenant.ts';
import { trailersCommand } from './arguments.ts';
import { type Desk, openDesk, type Step } from './desk.ts';
import { bringCommit, type GitOptions, inSession, type Session } from './git.ts';
import { keepObjects } from './keep-objects.ts';
import { withLock } from './lock.ts';
import { makeCommits, objectsOf } from './make-commits.ts';
import { look, push } from './push.ts';
import { openSigners, type Signers } from './sign.ts';
import type { Line, Pending, WriteQueues } from './write-queue.ts';

export type GitWriterOptions = GitOptions &
  Readonly<{
    /** One of the tenant's processes at a time per remote and branch. */
    turns: Turns;
    queues: WriteQueues;
  }>;

const MAX_TRIES = 12;
const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 500;
const NEWEST = 200;
/** Of one push; a longer line waits for the next. */
const MAX_MEMBERS = 64;

/** Writes commits for one tenant, on the shared mirrors; what is made stays in the call's own folder until the remote has it. */
export function createGitWriter(options: GitWriterOptions): GitWriter {
  return Object.freeze({
    async write(remote: GitRemote, want: WriteWant, { timeoutMs }: Readonly<{ timeoutMs: number }>, signal: AbortSignal) {
      if (!isShortRefName(want.branch)) throw new AppError('gitFailed', 'the name of the branch breaks the rules of git check-ref-format');
      const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const lead = (own: Pending, line: Line): Promise<void> =>
        options.turns.take(digest([remote.url, want.branch]), within, () => serve(options, { remote, timeoutMs, within }, own, line));
      try {
        return await options.queues.write(lineOf(options, remote, want), want, within, lead);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof Error && error.name === 'TimeoutError')
          throw new AppError('gitFailed', `other commits to branch ${want.branch} took all of ${timeoutMs} ms`, {}, { cause: error });
        throw error;
      }
    },
  } satisfies GitWriter);
}

/** Whose writes may share a push: one tenant's, with the same credential, to the same references in the same way. */
function lineOf({ scope }: GitOptions, remote: GitRemote, { branch, from, alsoTo, options, holding }: WriteWant): string {
  return digest([tenantKey(scope), remote, branch, from, alsoTo, Object.entries(options), holding]);
}

type Asked = Readonly<{ remote: GitRemote; timeoutMs: number; within: AbortSignal }>;

async function serve(options: GitOptions, { remote, timeoutMs, within }: Asked, own: Pending, line: Line): Promise<void> {
  await inSession(options, remote, timeoutMs, within, async (session) => {
    await mkdir(options.mirrorsDir, { recursive: true, mode: 0o700 });
    // One at a time per branch, of whatever tenant, saves tries; that nobody's commit is lost does not depend on it.
    const name = digest([own.want.branch]).slice(0, 32);
    await withLock(`${session.mirror}.push-${name}.lock`, options.clock, within, () => tryUntilPushed(options, session, own, line));
  });
}

/** Serves its own member and whoever joins; who was taken and could not be served waits again. */
async function tryUntilPushed(options: GitOptions, session: Session, own: Pending, line: Line): Promise<void> {
  const members = [own];
  const signers = openSigners({ path: options.path, signal: session.signal });
  try {
    for (let tries = 1; !own.isSettled(); tries += 1) {
      const overtaken = await tryOnce({ ...options, signers }, session, members, line);
      if (overtaken === null) continue;
      if (tries >= MAX_TRIES)
        throw new AppError('gitFailed', `branch ${own.want.branch} moved ${tries} times while a commit was made: ${overtaken}`);
      await sleep(options.clock.random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** tries), undefined, { signal: session.signal });
    }
  } finally {
    await signers.close();
    line.putBack(members.filter((one) => one !== own));
  }
}

/** Answers how it was overtaken, or null: then each member was told, or goes by itself. */
async function tryOnce(
  options: GitOptions & Readonly<{ signers: Signers }>,
  session: Session,
  members: Pending[],
  line: Line,
): Promise<string | null> {
  const base = await baseOf(options, session, members, line);
  const steps = await decideAll(openDesk(session, base, options.signers), members, line);
  const made = await makeCommits(session, base, steps, Math.floor(options.clock.nowMs() / 1_000));
  if (made === null) return null;
  const commits = [...made.values()];
  const head = commits.at(-1) ?? base;
  if (commits.length > 0) {
    const [own] = members;
    if (own === undefined) return null;
    const result = await push(session, own.want, head);
    if (result.is === 'overtaken') return result.reason;
    if (result.is === 'refused' && steps.length > 1) {
      // A hook may mind one of them: each by itself, so that whose fault it is shows.
      for (const member of members) member.isAlone = true;
      line.putBack(members.splice(1));
      return null;
    }
    if (result.is !== 'pushed') {
      for (const { member } of steps) member.reject(result.error);
      return null;
    }
    await keepObjects(objectsOf(session), session.mirror, commits);
  }
  const carriers = commits.length === steps.length ? new Map<string, string>() : await carriersAt(session, base);
  for (const step of steps) {
    const commit = made.get(step);
    if (commit !== undefined) step.member.resolve({ is: 'pushed', commit, head });
    else step.member.resolve({ is: 'unchanged', head, commit: carriers.get(step.updateId) ?? null });
  }
  return null;
}

/** The branch as the remote has it, in the mirror. What fails here fails for all who wait: they would ask the same. */
async function baseOf(options: GitOptions, session: Session, members: readonly Pending[], line: Line): Promise<string> {
  try {
    const refs = await look(session);
    const [own] = members;
    if (own === undefined) throw new Error('nobody leads');
    const { commit, within } = begun(refs, own.want);
    await bringCommit(options, session, { commit, advertised: refs, within });
    return commit;
  } catch (error) {
    session.signal.throwIfAborted();
    if (error instanceof AppError) for (const member of [...members, ...line.takeAll()]) member.reject(error);
    throw error;
  }
}

/** The branch itself, so that what is there is kept; where it does not exist, what it is to begin from. */
function begun(refs: readonly GitRef[], { branch, from }: WriteWant): Begun {
  const name = `refs/heads/${branch}`;
  const found = refs.find((ref) => ref.name === name);
  if (found !== undefined) return { commit: found.commit, within: name };
  const beginning = beginningIn(from, refs);
  if (typeof beginning === 'string') throw new AppError('gitFailed', `${beginning}: create it, or correct spec.git.checkout.ref`);
  return beginning;
}

/** Each member decides on what those before it leave; whoever joins the line in the meantime too. */
async function decideAll(desk: Desk, members: Pending[], line: Line): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (let at = 0; ; ) {
    if (members[0]?.isAlone !== true)
      while (members.length < MAX_MEMBERS && !desk.isFull()) {
        const joining = line.next();
        if (joining === null) break;
        members.push(joining);
      }
    const fresh = members.slice(at).filter((one) => !one.isSettled());
    if (fresh.length === 0) return steps;
    at = members.length;
    await desk.lay(fresh);
    for (const member of fresh) {
      const step = member.isSettled() ? null : await desk.decide(member);
      if (step !== null) steps.push(step);
    }
  }
}

/** By update id, the newest commit that says it carries it. */
async function carriersAt({ run, signal }: Session, head: string): Promise<ReadonlyMap<string, string>> {
  const { output } = await run(trailersCommand(head, UPDATE_TRAILER, NEWEST), { remote: false, signal });
  const found = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [commit = '', ids = ''] = line.split('\t');
    for (const id of ids.split(',')) if (id !== '' && !found.has(id)) found.set(id, commit);
  }
  return found;
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
