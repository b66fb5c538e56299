import { AppError } from '#core/errors.ts';
import type { CommitPlan } from '#core/git-writer.ts';
import type { Session } from './git.ts';
import { identOf } from './ident.ts';
import { readMarkedFiles } from './marked-files.ts';
import type { Signer, Signers } from './sign.ts';
import type { Pending } from './write-queue.ts';

/** What one member of a push decided. */
export type Step = Readonly<{
  member: Pending;
  updateId: string;
  plan: CommitPlan | null;
  /** Author and committer. */
  ident: string;
  signer: Signer | null;
}>;

/** As many as the files of one member may have bytes. */
const MAX_CHARACTERS = 67_108_864;
const UPDATE_ID = /^[0-9a-f]{64}$/;

/** The marked files of one commit, changed by one member after the other; git is asked for each folder once. */
export type Desk = Readonly<{
  /** Holds so much that nobody else should join. */
  isFull(): boolean;
  /** Reads what these members need. One whose files cannot be read is rejected; one for which there is no room is left for another push. */
  lay(members: readonly Pending[]): Promise<void>;
  /** What the member makes of the files; null for one that failed, which has been told so, and for one whose files were not read. */
  decide(member: Pending): Promise<Step | null>;
}>;

export function openDesk(session: Session, commit: string, signers: Signers): Desk {
  const texts = new Map<string, string>();
  const read = new Set<string>();
  const laid = new Set<Pending>();
  let characters = 0;
  const isFull = (): boolean => characters > MAX_CHARACTERS;
  const readFor = async (members: readonly Pending[]): Promise<void> => {
    const folders = [...new Set(members.map(({ want }) => want.folder))].filter((folder) => !read.has(folder));
    const [holding] = members.map(({ want }) => want.holding);
    if (folders.length > 0 && holding !== undefined) {
      const accepts = (path: string): boolean => members.some(({ want }) => isBelow(path, want.folder) && want.accepts(path));
      for (const { path, text } of await readMarkedFiles(session, { commit, folders, holding, accepts })) {
        // What was changed here is newer than what the commit holds.
        if (texts.has(path)) continue;
        texts.set(path, text);
        characters += text.length;
      }
    }
    for (const folder of folders) read.add(folder);
    for (const member of members) laid.add(member);
  };
  return Object.freeze({
    isFull,
    async lay(members: readonly Pending[]) {
      try {
        await readFor(members);
      } catch (error) {
        session.signal.throwIfAborted();
        if (!(error instanceof AppError)) throw error;
        const [only] = members;
        if (members.length === 1) only?.reject(error);
        // One with too many files must not fail the others.
        else for (const member of members) if (!isFull()) await readFor([member]).catch((reason: unknown) => member.reject(reason));
      }
    },
    async decide(member: Pending) {
      const { want } = member;
      if (!laid.has(member)) return null;
      const files = [...texts].filter(([path]) => isBelow(path, want.folder) && want.accepts(path)).map(([path, text]) => ({ path, text }));
      try {
        member.signal.throwIfAborted();
        const ident = identOf(want.author);
        if (ident === null) throw new AppError('gitFailed', 'spec.git.commit.author has no name that git takes');
        const { updateId, plan } = await want.edit(files);
        if (!UPDATE_ID.test(updateId)) throw new Error('an update id is 64 hexadecimal characters');
        const changed = plan === null ? [] : plan.files;
        const known = new Set(files.map(({ path }) => path));
        if (changed.some(({ path }) => !known.has(path))) throw new Error('a plan changes only files that were read');
        const signer = want.signing === null || changed.length === 0 ? null : await signers.of(want.signing);
        for (const { path, text } of changed) texts.set(path, text);
        return { member, updateId, plan: changed.length === 0 ? null : plan, ident, signer };
      } catch (error) {
        member.reject(error);
        return null;
      }
    },
  } satisfies Desk);
}

function isBelow(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
