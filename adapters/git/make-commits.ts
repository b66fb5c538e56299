import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UPDATE_TRAILER } from '#core/git-writer.ts';
import type { Step } from './desk.ts';
import type { Session } from './git.ts';
import { openObjectFolder } from './objects.ts';
import { readTrees } from './trees.ts';

/** New objects go into a folder of their own beside the mirror's: of a push that fails nothing stays, and of one that arrived the mirror gets them. */
export function workshop({ directory, mirror }: Session): Readonly<Record<string, string>> {
  return { GIT_OBJECT_DIRECTORY: objectsOf({ directory }), GIT_ALTERNATE_OBJECT_DIRECTORIES: join(mirror, 'objects') };
}

export function objectsOf({ directory }: Pick<Session, 'directory'>): string {
  return join(directory, 'objects');
}

/** One commit per step with a plan, each on top of the one before; by step. Of an earlier call in this session nothing is kept. */
export async function makeCommits(
  session: Session,
  base: string,
  steps: readonly Step[],
  atSeconds: number,
): Promise<ReadonlyMap<Step, string>> {
  const directory = objectsOf(session);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const into = openObjectFolder(directory, base.length === 64 ? 'sha256' : 'sha1');
  const paths = new Set(steps.flatMap(({ plan }) => (plan?.files ?? []).map(({ path }) => path)));
  const trees = await readTrees(session, base, [...paths]);
  const made = new Map<Step, string>();
  let parent = base;
  for (const step of steps) {
    if (step.plan === null) continue;
    const blobs = new Map<string, string>();
    for (const { path, text } of step.plan.files) blobs.set(path, await into.store('blob', Buffer.from(text, 'utf8')));
    const tree = await trees.replace(blobs, into);
    const who = `${step.ident} ${atSeconds} +0000`;
    const message = `${step.plan.message.trimEnd()}\n\n${UPDATE_TRAILER}: ${step.updateId}\n`;
    const text = `tree ${tree}\nparent ${parent}\nauthor ${who}\ncommitter ${who}\n\n${message}`;
    parent = await into.store('commit', Buffer.from(text, 'utf8'));
    made.set(step, parent);
  }
  return made;
}
