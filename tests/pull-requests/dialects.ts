import { addPull, type Dialect, type ForgeState, openBetween, type Pull, textOf } from './forge-state.ts';

/** Four APIs as their public documentation describes them (the pages are named in `adapters/pull-requests`), as far as pull requests need them. */

const newest = (pulls: readonly Pull[]): readonly Pull[] => pulls.toSorted((left, right) => right.number - left.number);
const byNumber = ({ pulls }: ForgeState, number: string | undefined): Pull | undefined =>
  pulls.find((one) => one.number === Number(number));
const page = (url: string): string => `https://forge.test/${url}`;

const githubPull = (one: Pull) => ({
  number: one.number,
  html_url: page(`pull/${one.number}`),
  state: one.state === 'open' ? 'open' : 'closed',
  merged_at: one.state === 'merged' ? '2026-01-01T00:00:00Z' : null,
  title: one.title,
  body: one.body,
  labels: one.labels.map((name) => ({ id: 1, name })),
  head: { ref: one.head, sha: one.headCommit },
  base: { ref: one.base },
});

export const github: Dialect = async ({ method, path, query, json, state }) => {
  const base = `/repos/${state.repository}`;
  const compare = new RegExp(`^${base}/compare/(.+)\\.\\.\\.(.+)$`).exec(path);
  if (method === 'GET' && compare !== null) {
    const isAhead = await state.branches.ahead(decodeURIComponent(compare[1] ?? ''), decodeURIComponent(compare[2] ?? ''));
    return { status: 200, json: { status: isAhead ? 'ahead' : 'identical', ahead_by: isAhead ? 1 : 0, commits: [] } };
  }
  if (method === 'GET' && path === `${base}/pulls`) {
    const [owner, head] = (query.get('head') ?? '').split(':');
    const found = state.pulls.filter(
      (one) => one.head === head && one.base === query.get('base') && (one.fork ? 'stranger' : state.repository.split('/')[0]) === owner,
    );
    return { status: 200, json: newest(found).map(githubPull) };
  }
  if (method === 'POST' && path === `${base}/pulls`) {
    const [head, into] = [textOf(json['head']), textOf(json['base'])];
    if (openBetween(state, head, into) !== undefined || (await state.branches.commit(head)) === null)
      return { status: 422, json: { message: 'Validation Failed' } };
    const made = await addPull(state, { head, base: into, title: textOf(json['title']), body: textOf(json['body']) });
    return { status: 201, json: githubPull(made) };
  }
  const labelled = byNumber(state, new RegExp(`^${base}/issues/(\\d+)/labels$`).exec(path)?.[1]);
  if (method === 'POST' && labelled !== undefined) {
    const names = Array.isArray(json['labels']) ? json['labels'].map(String) : [];
    labelled.labels = [...new Set([...labelled.labels, ...names])];
    return { status: 200, json: [] };
  }
  const one = byNumber(state, new RegExp(`^${base}/pulls/(\\d+)$`).exec(path)?.[1]);
  if (method !== 'PATCH' || one === undefined) return null;
  change(one, json['title'], json['body']);
  if (json['state'] === 'closed') one.state = 'closed';
  return { status: 200, json: githubPull(one) };
};

const mergeRequest = (one: Pull) => ({
  iid: one.number,
  web_url: page(`-/merge_requests/${one.number}`),
  state: one.state === 'open' ? 'opened' : one.state,
  title: one.title,
  description: one.body,
  labels: one.labels,
  sha: one.headCommit,
  source_branch: one.head,
  target_branch: one.base,
  source_project_id: one.fork ? 8 : 7,
  target_project_id: 7,
});

export const gitlab: Dialect = async ({ method, path, query, json, state }) => {
  const base = `/projects/${encodeURIComponent(state.repository)}`;
  if (method === 'GET' && path === `${base}/repository/commits`) {
    const [from = '', to = ''] = (query.get('ref_name') ?? '').split('..');
    return { status: 200, json: (await state.branches.ahead(from, to)) ? [{ id: 'a'.repeat(40) }] : [] };
  }
  if (method === 'GET' && path === `${base}/merge_requests`) {
    const found = state.pulls.filter((one) => one.head === query.get('source_branch') && one.base === query.get('target_branch'));
    return { status: 200, json: newest(found).map(mergeRequest) };
  }
  if (method === 'POST' && path === `${base}/merge_requests`) {
    const [head, into] = [textOf(json['source_branch']), textOf(json['target_branch'])];
    if (openBetween(state, head, into) !== undefined)
      return { status: 409, json: { message: ['Another open merge request already exists'] } };
    const labels = textOf(json['labels']).split(',').filter(Boolean);
    const made = await addPull(state, { head, base: into, title: textOf(json['title']), body: textOf(json['description']), labels });
    return { status: 201, json: mergeRequest(made) };
  }
  const one = byNumber(state, new RegExp(`^${base}/merge_requests/(\\d+)$`).exec(path)?.[1]);
  if (method !== 'PUT' || one === undefined) return null;
  change(one, json['title'], json['description']);
  one.labels = [...new Set([...one.labels, ...textOf(json['add_labels']).split(',').filter(Boolean)])];
  if (json['state_event'] === 'close') one.state = 'closed';
  return { status: 200, json: mergeRequest(one) };
};

const giteaPull = (state: ForgeState, one: Pull) => ({
  number: one.number,
  html_url: page(`pulls/${one.number}`),
  state: one.state === 'open' ? 'open' : 'closed',
  merged: one.state === 'merged',
  title: one.title,
  body: one.body,
  labels: one.labels.length === 0 ? null : state.labels.filter(({ name }) => one.labels.includes(name)),
  head: { ref: one.head, sha: one.headCommit, repo_id: one.fork ? 8 : 7 },
  base: { ref: one.base, sha: 'b'.repeat(40), repo_id: 7 },
});
/** Fewer than asked for, as a server with a lower limit gives. */
const giteaPage = 3;

export const gitea: Dialect = async ({ method, path, query, json, state }) => {
  const base = `/repos/${state.repository}`;
  const start = (Number(query.get('page') ?? '1') - 1) * giteaPage;
  const named = (ids: unknown): string[] => state.labels.filter(({ id }) => Array.isArray(ids) && ids.includes(id)).map(({ name }) => name);
  if (method === 'GET' && path === `${base}/commits`) {
    const isAhead = await state.branches.ahead(query.get('not') ?? '', query.get('sha') ?? '');
    return { status: 200, json: isAhead ? [{ sha: 'a'.repeat(40) }] : [] };
  }
  if (method === 'GET' && path === `${base}/pulls`) {
    const found = state.pulls.filter((one) => (one.state === 'open') === (query.get('state') === 'open'));
    return {
      status: 200,
      json: newest(found)
        .slice(start, start + giteaPage)
        .map((one) => giteaPull(state, one)),
    };
  }
  if (method === 'GET' && path === `${base}/labels`) return { status: 200, json: state.labels.slice(start, start + giteaPage) };
  if (method === 'POST' && path === `${base}/labels`) {
    const made = { id: state.labels.length + 1, name: textOf(json['name']) };
    state.labels.push(made);
    return { status: 201, json: made };
  }
  if (method === 'POST' && path === `${base}/pulls`) {
    const [head, into] = [textOf(json['head']), textOf(json['base'])];
    if (openBetween(state, head, into) !== undefined) return { status: 409, json: { message: 'pull request already exists' } };
    const made = await addPull(state, {
      head,
      base: into,
      title: textOf(json['title']),
      body: textOf(json['body']),
      labels: named(json['labels']),
    });
    return { status: 201, json: giteaPull(state, made) };
  }
  const labelled = byNumber(state, new RegExp(`^${base}/issues/(\\d+)/labels$`).exec(path)?.[1]);
  if (method === 'POST' && labelled !== undefined) {
    labelled.labels = [...new Set([...labelled.labels, ...named(json['labels'])])];
    return { status: 200, json: [] };
  }
  const one = byNumber(state, new RegExp(`^${base}/pulls/(\\d+)$`).exec(path)?.[1]);
  if (method !== 'PATCH' || one === undefined) return null;
  change(one, json['title'], json['body']);
  if (json['state'] === 'closed') one.state = 'closed';
  return { status: 201, json: giteaPull(state, one) };
};

const bitbucketPull = (state: ForgeState, one: Pull) => ({
  id: one.number,
  state: one.state === 'open' ? 'OPEN' : one.state === 'merged' ? 'MERGED' : 'DECLINED',
  title: one.title,
  description: one.body,
  links: { html: { href: page(`pull-requests/${one.number}`) } },
  source: {
    branch: { name: one.head },
    commit: { hash: one.headCommit.slice(0, 12) },
    repository: { full_name: one.fork ? 'stranger/fork' : state.repository },
  },
  destination: { branch: { name: one.base }, commit: { hash: 'b'.repeat(12) }, repository: { full_name: state.repository } },
});

export const bitbucket: Dialect = async ({ method, path, query, json, state }) => {
  const base = `/repositories/${state.repository}`;
  const branch = (value: unknown): string => textOf(Object(Object(value)['branch'])['name']);
  if (method === 'GET' && path === `${base}/commits`) {
    const isAhead = await state.branches.ahead(query.get('exclude') ?? '', query.get('include') ?? '');
    return { status: 200, json: { pagelen: 1, values: isAhead ? [{ hash: 'a'.repeat(40) }] : [] } };
  }
  if (method === 'GET' && path === `${base}/pullrequests`) {
    const [, head, into] = /^source\.branch\.name = "(.*)" AND destination\.branch\.name = "(.*)"$/.exec(query.get('q') ?? '') ?? [];
    const states = query.getAll('state');
    const all = state.pulls.filter((one) => one.head === head && one.base === into).map((one) => bitbucketPull(state, one));
    return { status: 200, json: { pagelen: 20, values: all.filter((one) => states.includes(one.state)).toReversed() } };
  }
  if (method === 'POST' && path === `${base}/pullrequests`) {
    const wanted = { head: branch(json['source']), base: branch(json['destination']) };
    const made = await addPull(state, { ...wanted, title: textOf(json['title']), body: textOf(json['description']) });
    return { status: 201, json: bitbucketPull(state, made) };
  }
  const [, number, verb] = new RegExp(`^${base}/pullrequests/(\\d+)(/decline)?$`).exec(path) ?? [];
  const one = byNumber(state, number);
  if (one === undefined) return null;
  if (method === 'POST' && verb !== undefined) one.state = 'closed';
  else if (method === 'PUT' && verb === undefined) change(one, json['title'], json['description']);
  else return null;
  return { status: 200, json: bitbucketPull(state, one) };
};

function change(one: Pull, title: unknown, body: unknown): void {
  if (typeof title === 'string') one.title = title;
  if (typeof body === 'string') one.body = body;
}
