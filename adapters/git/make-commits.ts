import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors.ts';
import { UPDATE_TRAILER } from '#core/git-writer.ts';
import { signedCommitCommand } from './arguments.ts';
import type { Step } from './desk.ts';
import type { Session } from './git.ts';
import { failureOf } from './messages.ts';
import { type ObjectFolder, openObjectFolder } from './objects.ts';
import type { Signer } from './sign.ts';
import { readTrees } from './trees.ts';

/** New objects go into a folder of their own beside the mirror's: of a push that fails nothing stays, and of one that arrived the mirror gets them. */
export function workshop({ directory, mirror }: Session): Readonly<Record<string, string>> {
  return { GIT_OBJECT_DIRECTORY: objectsOf({ directory }), GIT_ALTERNATE_OBJECT_DIRECTORIES: join(mirror, 'objects') };
}

export function objectsOf({ directory }: Pick<Session, 'directory'>): string {
  return join(directory, 'objects');
}

type Made = ReadonlyMap<Step, string>;

/**
 * One commit per step with a plan, each on top of the one before; by step. Null when one could not be signed: its member was told so, and those after it build on what it decided.
 * Of an earlier call in this session nothing is kept.
 */
export async function makeCommits(session: Session, base: string, steps: readonly Step[], atSeconds: number): Promise<Made | null> {
  const directory = objectsOf(session);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const made = new Map<Step, string>();
  const paths = new Set(steps.flatMap(({ plan }) => (plan?.files ?? []).map(({ path }) => path)));
  if (paths.size === 0) return made;
  const into = openObjectFolder(directory, base.length === 64 ? 'sha256' : 'sha1');
  const trees = await readTrees(session, base, [...paths]);
  let parent = base;
  for (const step of steps) {
    if (step.plan === null) continue;
    const blobs = new Map<string, string>();
    for (const { path, text } of step.plan.files) blobs.set(path, await into.store('blob', Buffer.from(text, 'utf8')));
    const tree = await trees.replace(blobs, into);
    const message = `${step.plan.message.trimEnd()}\n\n${UPDATE_TRAILER}: ${step.updateId}\n`;
    const commit = { tree, parent, message, atSeconds };
    const stored = step.signer === null ? await plainCommit(step, commit, into) : await signedCommit(session, step, step.signer, commit);
    if (stored === null) return null;
    parent = stored;
    made.set(step, parent);
  }
  return made;
}

type Commit = Readonly<{ tree: string; parent: string; message: string; atSeconds: number }>;

function plainCommit({ ident }: Step, { tree, parent, message, atSeconds }: Commit, into: ObjectFolder): Promise<string> {
  const who = `${ident} ${atSeconds} +0000`;
  return into.store('commit', Buffer.from(`tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\n${message}`, 'utf8'));
}

/** By git itself, which runs gpg or ssh-keygen. */
async function signedCommit(
  session: Session,
  step: Step,
  signer: Signer,
  { tree, parent, message, atSeconds }: Commit,
): Promise<string | null> {
  const { run, directory, signal, secrets } = session;
  const messageFile = join(directory, 'message');
  await writeFile(messageFile, message, { mode: 0o600 });
  const { name, email } = step.member.want.author;
  const date = `${atSeconds} +0000`;
  const who = { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
  const env = { ...workshop(session), ...who, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date, ...signer.env };
  const command = signedCommitCommand(signer, { tree, parent, messageFile });
  const { exitCode, output, errorText } = await run(command, { remote: false, signal, env });
  if (exitCode === 0) return output.trim();
  const { signing } = step.member.want;
  const key = signing === null ? [] : [signing.secret, signing.passphrase ?? ''];
  const { message: said } = failureOf(errorText, exitCode, [...secrets, ...key], null);
  step.member.reject(
    new AppError('gitFailed', `the commit could not be signed; is the passphrase right, and the key not expired? ${said}`),
  );
  return null;
}
