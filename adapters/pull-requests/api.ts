import type { Branches, ForgeRemote, PullRequest, PullRequestText } from '#core/pull-requests.ts';
import type { Ask } from './ask.ts';

/** The calls of one server's API; `PullRequests` of the core says what each promises. */
export type Api = Readonly<{
  /** Newest first, with the open ones among them; the caller picks. */
  between(ask: Ask, remote: ForgeRemote, branches: Branches): Promise<readonly PullRequest[]>;
  isAhead(ask: Ask, remote: ForgeRemote, branches: Branches): Promise<boolean>;
  /** Null when the server says that there is one already. */
  open(ask: Ask, remote: ForgeRemote, wanted: Branches & PullRequestText): Promise<PullRequest | null>;
  update(ask: Ask, remote: ForgeRemote, number: number, text: PullRequestText): Promise<void>;
  close(ask: Ask, remote: ForgeRemote, number: number): Promise<void>;
}>;

/** `owner/name` as two segments of a path. */
export function ownerAndName(remote: ForgeRemote): string {
  return remote.repository.split('/').map(encodeURIComponent).join('/');
}
