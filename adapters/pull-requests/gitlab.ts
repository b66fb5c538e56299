import Type, { type Static } from 'typebox';
import type { ForgeRemote, PullRequest } from '#core/pull-requests.ts';
import type { Api } from './api.ts';
import { parsed, shownUrl } from './ask.ts';

/** GitLab's REST API v4 (docs.gitlab.com/api/merge_requests, api/commits). Labels that do not exist are made by GitLab. */

const MergeRequest = Type.Object({
  iid: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  web_url: Type.String(),
  state: Type.Enum(['opened', 'closed', 'locked', 'merged']),
  title: Type.String(),
  description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  labels: Type.Array(Type.String()),
  sha: Type.Union([Type.String(), Type.Null()]),
  source_branch: Type.String(),
  target_branch: Type.String(),
  source_project_id: Type.Union([Type.Integer(), Type.Null()]),
  target_project_id: Type.Integer(),
});
const MergeRequests = Type.Array(MergeRequest, { maxItems: 100 });
const Commits = Type.Array(Type.Object({ id: Type.String() }), { maxItems: 100 });

const PAGE = 20;

export const gitlab: Api = Object.freeze({
  async between(ask, remote, { head, base }) {
    const query = new URLSearchParams({
      source_branch: head,
      target_branch: base,
      state: 'all',
      order_by: 'created_at',
      sort: 'desc',
      per_page: String(PAGE),
    });
    const answer = await ask({ method: 'GET', path: `${requests(remote)}?${query.toString()}`, to: 'list the merge requests' });
    return parsed(MergeRequests, answer)
      .filter((one) => one.source_branch === head && one.target_branch === base && one.source_project_id === one.target_project_id)
      .map(pullRequest);
  },
  async isAhead(ask, remote, { head, base }) {
    const query = new URLSearchParams({ ref_name: `${base}..${head}`, per_page: '1' });
    const path = `${project(remote)}/repository/commits?${query.toString()}`;
    return parsed(Commits, await ask({ method: 'GET', path, to: `compare the branches ${base} and ${head}` })).length > 0;
  },
  async open(ask, remote, { head, base, title, body, labels }) {
    const answer = await ask({
      method: 'POST',
      path: requests(remote),
      body: { source_branch: head, target_branch: base, title, description: body, labels: labels.join(',') },
      to: 'open a merge request',
      // There is one already.
      besides: [409],
    });
    return answer.status === 409 ? null : pullRequest(parsed(MergeRequest, answer));
  },
  async update(ask, remote, number, { title, body, labels }) {
    const change = { title, description: body, ...(labels.length === 0 ? {} : { add_labels: labels.join(',') }) };
    await ask({ method: 'PUT', path: `${requests(remote)}/${number}`, body: change, to: `change merge request ${number}` });
  },
  async close(ask, remote, number) {
    await ask({
      method: 'PUT',
      path: `${requests(remote)}/${number}`,
      body: { state_event: 'close' },
      to: `close merge request ${number}`,
    });
  },
} satisfies Api);

/** A project is named by its whole path, as one segment. */
function project({ repository }: ForgeRemote): string {
  return `/projects/${encodeURIComponent(repository)}`;
}

function requests(remote: ForgeRemote): string {
  return `${project(remote)}/merge_requests`;
}

function pullRequest(one: Static<typeof MergeRequest>): PullRequest {
  // Locked: it is being merged right now.
  const state = one.state === 'opened' || one.state === 'locked' ? 'open' : one.state;
  return Object.freeze({
    number: one.iid,
    url: shownUrl(one.web_url),
    state,
    title: one.title,
    body: one.description ?? '',
    labels: one.labels,
    headCommit: one.sha ?? '',
  });
}
