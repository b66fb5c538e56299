import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#core/errors.ts';
import { isCommitHash, isShortRefName } from '#core/git-values.ts';
import { type CommitPlan, type GitWriter, UPDATE_TRAILER, type WriteWant, type Written } from '#core/git-writer.ts';
import type { GitRef, GitRemote } from '#core/ports.ts';
import {
  commitTreeCommand,
  lookCommand,
  pushCommand,
  readTreeCommand,
  replaceEntriesCommand,
  storeFilesCommand,
  trailersCommand,
  writeTreeCommand,
} from './arguments.ts';
import { bringCommit, type GitOptions, inSession, type Session } from './git.ts';
import { withLock } from './lock.ts';
import { type FoundFile, readMarkedFiles } from './marked-files.ts';
import { failureOf } from './messages.ts';
import { type PushResult, parsePush } from './push-result.ts';
import { parseRemoteRefs } from './remote-refs.ts';

const MAX_TRIES = 12;
const FIRST_WAIT_MS = 50;
const MAX_WAIT_MS = 2_000;
const NEWEST = 200;
const MAX_LIST_BYTES = 33_554_432;
const HASHES_BYTES = 1_048_576;
const FILES_PER_COMMAND = 500;

/** Writes commits for one tenant, on the shared mirrors; what is made stays in the call's own folder until the remote has it. */
export function createGitWriter(options: GitOptions): GitWriter {
  return Object.freeze({
    write: (remote: GitRemote, want: WriteWant, { timeoutMs }: Readonly<{ timeoutMs: number }>, signal: AbortSignal) =>
      inSession(options, remote, timeoutMs, signal, async (session) => {
        await mkdir(options.mirrorsDir, { recursive: true, mode: 0o700 });
        // One at a time per branch saves tries; that nobody's commit is lost does not depend on it.
        const name = createHash('sha256').update(want.branch).digest('hex').slice(0, 32);
        const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        return withLock(`${session.mirror}.push-${name}.lock`, options.clock, until, () => tryUntilPushed(options, session, want)).catch(
          (error: unknown) => {
            signal.throwIfAborted();
            if (error instanceof Error && error.name === 'TimeoutError')
              throw new AppError('gitFailed', `other commits to branch ${want.branch} took all of ${timeoutMs} ms`);
            throw error;
          },
        );
      }),
  } satisfies GitWriter);
}

async function tryUntilPushed(options: GitOptions, session: Session, want: WriteWant): Promise<Written> {
  if (!isShortRefName(want.branch)) throw new AppError('gitFailed', 'the name of the branch breaks the rules of git check-ref-format');
  for (let tries = 1; ; tries += 1) {
    const done = await tryOnce(options, session, want);
    if (done.is !== 'overtaken') return done;
    if (tries >= MAX_TRIES)
      throw new AppError('gitFailed', `branch ${want.branch} moved ${tries} times while a commit was made: ${done.reason}`);
    await sleep(options.clock.random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** tries), undefined, { signal: session.signal });
  }
}

async function tryOnce(
  options: GitOptions,
  session: Session,
  want: WriteWant,
): Promise<Written | Readonly<{ is: 'overtaken'; reason: string }>> {
  const refs = await look(session);
  const base = baseOf(refs, want);
  await bringCommit(options, session, { commit: base.commit, advertised: refs, within: base.name });
  const files = await readMarkedFiles(session, {
    commit: base.commit,
    folder: want.folder,
    holding: want.holding,
    accepts: (path) => want.accepts(path),
  });
  const { plan, updateId } = await want.edit(files);
  if (!isCommitHash(updateId)) throw new Error('an update id is 64 hexadecimal characters');
  if (plan === null || plan.files.length === 0)
    return { is: 'unchanged', base: base.commit, commit: await carrier(session, base.commit, updateId) };
  const commit = await makeCommit(session, base.commit, { want, plan, updateId, files });
  const result = await push(session, want, commit);
  if (result.is === 'pushed') return { is: 'pushed', commit, base: base.commit };
  if (result.is === 'overtaken') return { is: 'overtaken', reason: result.reason };
  throw result.error;
}

async function look({ url, run, signal }: Session): Promise<readonly GitRef[]> {
  return parseRemoteRefs((await run(lookCommand(url), { remote: true, signal, maxOutputBytes: MAX_LIST_BYTES })).output);
}

/** The branch itself, so that what is there is kept; where it does not exist, what it is to begin from. */
function baseOf(refs: readonly GitRef[], { branch, from }: WriteWant): GitRef {
  const found = refs.find(({ name }) => name === `refs/heads/${branch}`) ?? refs.find(({ name }) => name === from);
  if (found === undefined)
    throw new AppError('gitFailed', `couldn't find remote ref '${from}': create it, or correct spec.git.checkout.ref`);
  return found;
}

/** The newest commit that says it carries the decision. */
async function carrier({ run, signal }: Session, head: string, updateId: string): Promise<string | null> {
  const { output } = await run(trailersCommand(head, UPDATE_TRAILER, NEWEST), { remote: false, signal });
  const line = output.split('\n').find((one) => one.split('\t')[1]?.split(',').includes(updateId));
  return line?.split('\t')[0] ?? null;
}

type Making = Readonly<{ want: WriteWant; plan: CommitPlan; updateId: string; files: readonly FoundFile[] }>;

/** New objects go into a folder of their own beside the mirror's: of a push that fails nothing stays. */
function workshop({ directory, mirror }: Session): Readonly<Record<string, string>> {
  return {
    GIT_OBJECT_DIRECTORY: join(directory, 'objects'),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: join(mirror, 'objects'),
    GIT_INDEX_FILE: join(directory, 'index'),
  };
}

async function makeCommit(session: Session, base: string, { want, plan, updateId, files }: Making): Promise<string> {
  const { directory, run, signal } = session;
  const env = workshop(session);
  const local = { remote: false, signal, env, maxOutputBytes: HASHES_BYTES };
  await mkdir(join(directory, 'objects'), { recursive: true, mode: 0o700 });
  await rm(join(directory, 'index'), { force: true });
  await run(readTreeCommand(base), local);
  const executable = new Set(files.filter((one) => one.executable).map(({ path }) => path));
  const known = new Set(files.map(({ path }) => path));
  for (let from = 0; from < plan.files.length; from += FILES_PER_COMMAND) {
    const part = plan.files.slice(from, from + FILES_PER_COMMAND);
    for (const [index, { path, text }] of part.entries()) {
      if (!known.has(path)) throw new Error('a plan changes only files that were read');
      await writeFile(join(directory, `blob-${index}`), text, { mode: 0o600 });
    }
    const { output } = await run(storeFilesCommand(part.map((_one, index) => join(directory, `blob-${index}`))), local);
    const blobs = output.trim().split('\n');
    await run(
      replaceEntriesCommand(part.map(({ path }, index) => ({ path, blob: blobs[index] ?? '', executable: executable.has(path) }))),
      local,
    );
  }
  const tree = (await run(writeTreeCommand(), local)).output.trim();
  const messageFile = join(directory, 'message');
  await writeFile(messageFile, `${plan.message.trimEnd()}\n\n${UPDATE_TRAILER}: ${updateId}\n`, { mode: 0o600 });
  const { name, email } = want.author;
  const who = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  return (await run(commitTreeCommand(tree, base, messageFile), { ...local, env: { ...env, ...who } })).output.trim();
}

type Pushed = Readonly<{ is: 'pushed' }> | Readonly<{ is: 'overtaken'; reason: string }> | Readonly<{ is: 'refused'; error: unknown }>;

async function push(session: Session, want: WriteWant, commit: string): Promise<Pushed> {
  const { url, run, signal, secrets } = session;
  const refs = [`refs/heads/${want.branch}`, ...want.alsoTo];
  let failure: unknown;
  try {
    const { exitCode, output, errorText } = await run(pushCommand(url, commit, refs, want.options), {
      remote: true,
      signal,
      env: workshop(session),
    });
    if (exitCode === 0) return { is: 'pushed' };
    const result = parsePush(output);
    if (result.isOvertaken) return { is: 'overtaken', reason: result.refused.join(', ') };
    failure = failureOf(explained(errorText, result), exitCode, secrets, null);
    if (result.refused.length > 0) return { is: 'refused', error: failure };
  } catch (error) {
    signal.throwIfAborted();
    failure = error;
  }
  // The answer was lost, or the remote failed: only the remote itself knows which.
  return (await hasArrived(session, want, commit)) ? { is: 'pushed' } : { is: 'refused', error: failure };
}

async function hasArrived(session: Session, { branch }: WriteWant, commit: string): Promise<boolean> {
  const refs = await look(session).catch((error: unknown) => {
    if (error instanceof AppError) return [];
    throw error;
  });
  return refs.some(({ name, commit: head }) => name === `refs/heads/${branch}` && head === commit);
}

/** The remote's own sentences, else what it said of the reference. */
function explained(errorText: string, { refused }: PushResult): string {
  const said = errorText.split('\n').filter((line) => !/^(?:error: failed to push|To |hint:)/.test(line));
  return [...said, ...(refused.length === 0 ? [] : [`error: the push was refused: ${refused.join(', ')}`])].join('\n');
}
