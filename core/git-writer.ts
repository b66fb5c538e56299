import type { GitRemote } from './ports.ts';

export type TextFile = Readonly<{ path: string; text: string }>;

/** What is to become a commit: the changed files with their whole new text. */
export type CommitPlan = Readonly<{
  files: readonly TextFile[];
  message: string;
}>;

export type Decision = Readonly<{
  /** Named in a trailer of the commit, so that one whose answer was lost is known again: 64 hexadecimal characters. */
  updateId: string;
  /** Null when there is nothing to change. */
  plan: CommitPlan | null;
}>;

/** A private key that signs commits: an armored OpenPGP key ring with one, or an SSH key. Never log, store or quote it. */
export type SigningKey = Readonly<{ type: 'gpg' | 'ssh'; secret: string; passphrase: string | null }>;

/** Where a branch begins that does not exist yet: a full reference name, a commit, or the highest tag in a range of versions. */
export type Beginning =
  | Readonly<{ at: 'reference'; name: string }>
  | Readonly<{ at: 'commit'; commit: string }>
  | Readonly<{ at: 'semver'; range: string }>;

export type WriteWant = Readonly<{
  from: Beginning;
  /** Short name of the branch that gets the commit. */
  branch: string;
  /** References that get the commit as well, never by force; full names. */
  alsoTo: readonly string[];
  options: Readonly<Record<string, string>>;
  /** Folder below which files are read and written; '' for the whole tree. */
  folder: string;
  /** Only files that hold this text are read … */
  holding: string;
  /** … and of them those with such a path. */
  accepts(path: string): boolean;
  author: Readonly<{ name: string; email: string }>;
  /** Null: unsigned. */
  signing: SigningKey | null;
  /**
   * What is to become of these files. Called anew for each try, while no other writer of the plane is at the branch: what is decided must be read in here. The files are
   * as earlier commits of the same push leave them.
   */
  edit(files: readonly TextFile[]): Promise<Decision>;
}>;

export type Written =
  | Readonly<{
      is: 'pushed';
      commit: string;
      /** The branch's head after the push; other commits of the plane may stand between. */
      head: string;
    }>
  /** Nothing to change at `head`. `commit` carries the decision already, as its trailer says; null when none of the newest does. */
  | Readonly<{ is: 'unchanged'; head: string; commit: string | null }>;

export interface GitWriter {
  /**
   * Puts one commit on top of the branch as the remote has it and pushes it without force; when somebody else was faster, everything is done again on their commit. Writes of
   * one tenant that wait for the same branch with the same credential go in one push, each as a commit of its own. Idempotent: a push whose answer was lost is recognised.
   * Throws AppError gitFailed (with the remote's words), gitAuthFailed, egressDenied, and what `edit` throws.
   */
  write(remote: GitRemote, want: WriteWant, limits: Readonly<{ timeoutMs: number }>, signal: AbortSignal): Promise<Written>;
}

/** The trailer's key. */
export const UPDATE_TRAILER = 'Weir-Update';
