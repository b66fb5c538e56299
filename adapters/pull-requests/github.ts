import Type, { type Static } from 'typebox';
import type { PullRequest } from '#core/pull-requests.ts';
import { type Api, ownerAndName } from './api.ts';
import { type Ask, parsed, type Question, shownUrl } from './ask.ts';

/** GitHub's REST API, version 2022-11-28 (docs.github.com/rest/pulls/pulls, rest/issues/labels, rest/commits/commits). Labels that do not exist are made by GitHub. */

const Pull = Type.Object({
  number: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  html_url: Type.String(),
  state: Type.Enum(['open', 'closed']),
  merged_at: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  title: Type.String(),
  body: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  labels: Type.Array(Type.Object({ name: Type.String() })),
  head: Type.Object({ ref: Type.String(), sha: Type.String() }),
  base: Type.Object({ ref: Type.String() }),
});
const Pulls = Type.Array(Pull, { maxItems: 100 });
const Comparison = Type.Object({ ahead_by: Type.Integer({ minimum: 0 }) });

const headers = Object.freeze({ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' });
const PAGE = 10;

export const github: Api = Object.freeze({
  async between(ask, remote, { head, base }) {
    const [owner = ''] = remote.repository.split('/');
    const query = new URLSearchParams({
      // With its owner: a fork has branches of the same name.
      head: `${owner}:${head}`,
      base,
      state: 'all',
      sort: 'created',
      direction: 'desc',
      per_page: String(PAGE),
    });
    const answer = await call(ask, { method: 'GET', path: `${pulls(remote)}?${query.toString()}`, to: 'list the pull requests' });
    return parsed(Pulls, answer)
      .filter((one) => one.head.ref === head && one.base.ref === base)
      .map(pullRequest);
  },
  async isAhead(ask, remote, { head, base }) {
    // The second page names no files, which can be long.
    const path = `/repos/${ownerAndName(remote)}/compare/${encodeURIComponent(base)}...${encodeURIComponent(head)}?per_page=1&page=2`;
    return parsed(Comparison, await call(ask, { method: 'GET', path, to: `compare the branches ${base} and ${head}` })).ahead_by > 0;
  },
  async open(ask, remote, { head, base, title, body, labels }) {
    const answer = await call(ask, {
      method: 'POST',
      path: pulls(remote),
      body: { title, head, base, body },
      to: 'open a pull request',
      // Also said of one that exists already.
      besides: [422],
    });
    if (answer.status === 422) return null;
    const opened = pullRequest(parsed(Pull, answer));
    await addLabels(ask, remote, opened.number, labels);
    return opened;
  },
  async update(ask, remote, number, { title, body, labels }) {
    await addLabels(ask, remote, number, labels);
    await call(ask, { method: 'PATCH', path: `${pulls(remote)}/${number}`, body: { title, body }, to: `change pull request ${number}` });
  },
  async close(ask, remote, number) {
    await call(ask, { method: 'PATCH', path: `${pulls(remote)}/${number}`, body: { state: 'closed' }, to: `close pull request ${number}` });
  },
} satisfies Api);

function call(ask: Ask, question: Question): ReturnType<Ask> {
  return ask({ headers, ...question });
}

function pulls(remote: Parameters<Api['close']>[1]): string {
  return `/repos/${ownerAndName(remote)}/pulls`;
}

async function addLabels(ask: Ask, remote: Parameters<Api['close']>[1], number: number, labels: readonly string[]): Promise<void> {
  if (labels.length === 0) return;
  const path = `/repos/${ownerAndName(remote)}/issues/${number}/labels`;
  await call(ask, { method: 'POST', path, body: { labels }, to: `label pull request ${number}` });
}

function pullRequest(one: Static<typeof Pull>): PullRequest {
  const isMerged = one.merged_at !== undefined && one.merged_at !== null;
  return Object.freeze({
    number: one.number,
    url: shownUrl(one.html_url),
    state: one.state === 'open' ? 'open' : isMerged ? 'merged' : 'closed',
    title: one.title,
    body: one.body ?? '',
    labels: one.labels.map(({ name }) => name),
    headCommit: one.head.sha,
  });
}
