import Type, { type Static } from 'typebox';
import { AppError } from '#core/errors.ts';
import type { Branches, ForgeRemote, PullRequest } from '#core/pull-requests.ts';
import { type Api, ownerAndName } from './api.ts';
import { type Ask, parsed, shownUrl } from './ask.ts';

/** The API v1 of Gitea, and of Forgejo (docs.gitea.com/api: repoListPullRequests, repoCreatePullRequest, repoEditPullRequest, repoGetAllCommits, issueAddLabel). Lists cannot be filtered by branch. */

const Label = Type.Object({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), name: Type.String() });
const Branch = Type.Object({ ref: Type.String(), sha: Type.String(), repo_id: Type.Integer() });
const Pull = Type.Object({
  number: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  html_url: Type.String(),
  state: Type.Enum(['open', 'closed']),
  merged: Type.Boolean(),
  title: Type.String(),
  body: Type.String(),
  labels: Type.Union([Type.Array(Label), Type.Null()]),
  head: Branch,
  base: Branch,
});
const Pulls = Type.Array(Pull, { maxItems: 100 });
const Labels = Type.Array(Label, { maxItems: 100 });
const Commits = Type.Array(Type.Object({ sha: Type.String() }), { maxItems: 100 });

const PAGE = 50;
const MAX_OPEN_PAGES = 20;
/** Of the closed ones only the newest count, to see whether a commit was turned down already. */
const MAX_CLOSED_PAGES = 2;
const MAX_LABEL_PAGES = 10;
const LABEL_COLOUR = '#ededed';

export const gitea: Api = Object.freeze({
  async between(ask, remote, branches) {
    const open = await listed(ask, remote, branches, { state: 'open', sort: 'newest', pages: MAX_OPEN_PAGES });
    return open.length > 0 ? open : listed(ask, remote, branches, { state: 'closed', sort: 'recentupdate', pages: MAX_CLOSED_PAGES });
  },
  async isAhead(ask, remote, { head, base }) {
    const query = new URLSearchParams({
      sha: head,
      not: base,
      limit: '1',
      page: '1',
      stat: 'false',
      verification: 'false',
      files: 'false',
    });
    const path = `/repos/${ownerAndName(remote)}/commits?${query.toString()}`;
    const to = `compare the branches ${base} and ${head}`;
    return parsed(Commits, await ask({ method: 'GET', path, to })).length > 0;
  },
  async open(ask, remote, { head, base, title, body, labels }) {
    const answer = await ask({
      method: 'POST',
      path: pulls(remote),
      body: { head, base, title, body, labels: [...(await labelIds(ask, remote, labels))] },
      to: 'open a pull request',
      // There is one already.
      besides: [409],
    });
    return answer.status === 409 ? null : pullRequest(parsed(Pull, answer));
  },
  async update(ask, remote, number, { title, body, labels }) {
    const ids = await labelIds(ask, remote, labels);
    const path = `/repos/${ownerAndName(remote)}/issues/${number}/labels`;
    if (ids.length > 0) await ask({ method: 'POST', path, body: { labels: [...ids] }, to: `label pull request ${number}` });
    await ask({ method: 'PATCH', path: `${pulls(remote)}/${number}`, body: { title, body }, to: `change pull request ${number}` });
  },
  async close(ask, remote, number) {
    await ask({ method: 'PATCH', path: `${pulls(remote)}/${number}`, body: { state: 'closed' }, to: `close pull request ${number}` });
  },
} satisfies Api);

type Listing = Readonly<{ state: 'open' | 'closed'; sort: string; pages: number }>;

async function listed(
  ask: Ask,
  remote: ForgeRemote,
  { head, base }: Branches,
  { state, sort, pages }: Listing,
): Promise<readonly PullRequest[]> {
  for (let page = 1; page <= pages; page += 1) {
    const query = new URLSearchParams({ state, sort, page: String(page), limit: String(PAGE) });
    const all = parsed(Pulls, await ask({ method: 'GET', path: `${pulls(remote)}?${query.toString()}`, to: 'list the pull requests' }));
    const ours = all.filter((one) => one.head.ref === head && one.base.ref === base && one.head.repo_id === one.base.repo_id);
    if (ours.length > 0) return ours.toSorted((left, right) => right.number - left.number).map(pullRequest);
    // A server may give fewer than asked for: only an empty page is the end.
    if (all.length === 0) return [];
  }
  if (state === 'closed') return [];
  // Going on would open a second request for one that was not seen.
  throw new AppError('upstreamFailed', `${remote.repository} has more than ${pages} pages of open pull requests: close some`);
}

/** Labels are named by number; those that are missing are made. */
async function labelIds(ask: Ask, remote: ForgeRemote, names: readonly string[]): Promise<readonly number[]> {
  const found = new Map<string, number>();
  for (let page = 1; names.some((name) => !found.has(name)) && page <= MAX_LABEL_PAGES; page += 1) {
    const path = `/repos/${ownerAndName(remote)}/labels?page=${page}&limit=${PAGE}`;
    const all = parsed(Labels, await ask({ method: 'GET', path, to: 'list the labels' }));
    if (all.length === 0) break;
    for (const { id, name } of all) if (!found.has(name)) found.set(name, id);
  }
  const ids: number[] = [];
  for (const name of names) {
    const path = `/repos/${ownerAndName(remote)}/labels`;
    const made = async (): Promise<number> =>
      parsed(Label, await ask({ method: 'POST', path, body: { name, color: LABEL_COLOUR }, to: `make the label ${name}` })).id;
    ids.push(found.get(name) ?? (await made()));
  }
  return ids;
}

function pulls(remote: ForgeRemote): string {
  return `/repos/${ownerAndName(remote)}/pulls`;
}

function pullRequest(one: Static<typeof Pull>): PullRequest {
  return Object.freeze({
    number: one.number,
    url: shownUrl(one.html_url),
    state: one.merged ? 'merged' : one.state,
    title: one.title,
    body: one.body,
    labels: (one.labels ?? []).map(({ name }) => name),
    headCommit: one.head.sha,
  });
}
