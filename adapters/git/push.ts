import { AppError } from '#core/errors.ts';
import type { WriteWant } from '#core/git-writer.ts';
import type { GitRef } from '#core/ports.ts';
import { lookCommand, pushCommand } from './arguments.ts';
import type { Session } from './git.ts';
import { workshop } from './make-commits.ts';
import { failureOf } from './messages.ts';
import { type PushResult, parsePush } from './push-result.ts';
import { parseRemoteRefs } from './remote-refs.ts';

const MAX_LIST_BYTES = 33_554_432;

export type Pushed =
  | Readonly<{ is: 'pushed' }>
  /** Somebody else was faster. */
  | Readonly<{ is: 'overtaken'; reason: string }>
  /** The remote took the commits and said no: a hook, a protected branch. */
  | Readonly<{ is: 'refused'; error: unknown }>
  | Readonly<{ is: 'failed'; error: unknown }>;

export async function look({ url, run, signal }: Session): Promise<readonly GitRef[]> {
  return parseRemoteRefs((await run(lookCommand(url), { remote: true, signal, maxOutputBytes: MAX_LIST_BYTES })).output);
}

/** Pushes the commit and its ancestors without force. When no answer came, the remote is asked what it has. */
export async function push(session: Session, want: Pick<WriteWant, 'branch' | 'alsoTo' | 'options'>, commit: string): Promise<Pushed> {
  const { url, run, signal, secrets } = session;
  const refs = [`refs/heads/${want.branch}`, ...want.alsoTo];
  let error: unknown;
  try {
    const { exitCode, output, errorText } = await run(pushCommand(url, commit, refs, want.options), {
      remote: true,
      signal,
      env: workshop(session),
    });
    if (exitCode === 0) return { is: 'pushed' };
    const result = parsePush(output);
    if (result.isOvertaken) return { is: 'overtaken', reason: result.refused.join(', ') };
    error = failureOf(explained(errorText, result), exitCode, secrets, null);
    if (result.refused.length > 0) return { is: 'refused', error };
  } catch (thrown) {
    signal.throwIfAborted();
    error = thrown;
  }
  // The answer was lost, or the remote failed: only the remote itself knows which.
  return (await hasArrived(session, want.branch, commit)) ? { is: 'pushed' } : { is: 'failed', error };
}

async function hasArrived(session: Session, branch: string, commit: string): Promise<boolean> {
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
