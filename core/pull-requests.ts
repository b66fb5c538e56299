/** Requests to merge one branch into another on GitHub, GitLab, Gitea and Bitbucket, as kinds see them; `adapters/pull-requests` implements it. */

export const forges = Object.freeze(['github', 'gitlab', 'gitea', 'bitbucket'] as const);
export type Forge = (typeof forges)[number];

export type ForgeCredential = Readonly<{ is: 'bearer'; token: string }> | Readonly<{ is: 'basic'; username: string; password: string }>;

/** One repository on one server. */
export type ForgeRemote = Readonly<{
  forge: Forge;
  /** Where the REST API begins, without a slash at the end, such as `https://api.github.com`. */
  apiUrl: string;
  /** `owner/name`; on GitLab with all of its groups. */
  repository: string;
  credential: ForgeCredential;
  /** Authorities to trust in place of the public ones; null for those. */
  caPem: string | null;
}>;

/** Short names of branches of the same repository: `head` is to be merged into `base`. */
export type Branches = Readonly<{ head: string; base: string }>;

export type PullRequest = Readonly<{
  number: number;
  /** For people; '' when the server gives none that is http(s). */
  url: string;
  state: 'open' | 'merged' | 'closed';
  title: string;
  body: string;
  labels: readonly string[];
  /** Commit of the head, at the end for one that is no longer open; some servers shorten it to its first 12 digits. */
  headCommit: string;
}>;

export type PullRequestText = Readonly<{ title: string; body: string; labels: readonly string[] }>;
export type ForgeLimits = Readonly<{ timeoutMs: number }>;

/**
 * `limits` holds for each request on the wire; an operation makes at most a handful. All throw AppError upstreamFailed (with retryAfterMs where the server says when), upstreamAuthFailed,
 * upstreamTooLarge, egressDenied, notFound for a repository that the credential does not see. No message quotes what a server says.
 */
export interface PullRequests {
  /** The open request between these branches of the repository itself (never one of a fork), else the newest that was merged or closed, else null. */
  newest(remote: ForgeRemote, branches: Branches, limits: ForgeLimits, signal: AbortSignal): Promise<PullRequest | null>;
  /** Whether the head has a commit that the base has not. Both branches must exist. */
  isAhead(remote: ForgeRemote, branches: Branches, limits: ForgeLimits, signal: AbortSignal): Promise<boolean>;
  /** Opens a request, or answers the one that somebody opened in the meantime as it is. Whoever looks with `newest` first opens none twice. */
  open(remote: ForgeRemote, wanted: Branches & PullRequestText, limits: ForgeLimits, signal: AbortSignal): Promise<PullRequest>;
  /** Sets title and body and adds the labels; others stay. Idempotent. */
  update(remote: ForgeRemote, number: number, text: PullRequestText, limits: ForgeLimits, signal: AbortSignal): Promise<void>;
  /** Closes (declines) it without merging; the branches stay. Idempotent on an open one. */
  close(remote: ForgeRemote, number: number, limits: ForgeLimits, signal: AbortSignal): Promise<void>;
}
