import Type, { type Static } from 'typebox';
import type { ForgeRemote, PullRequest } from '#core/pull-requests.ts';
import { type Api, ownerAndName } from './api.ts';
import { parsed, shownUrl } from './ask.ts';

/** Bitbucket Cloud's REST API 2.0 (developer.atlassian.com/cloud/bitbucket/rest, groups pullrequests and commits). It has no labels. */

const End = Type.Object({
  branch: Type.Object({ name: Type.String() }),
  commit: Type.Union([Type.Object({ hash: Type.String() }), Type.Null()]),
  /** Null when the fork is gone. */
  repository: Type.Union([Type.Object({ full_name: Type.String() }), Type.Null()]),
});
const Pull = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  state: Type.Enum(['OPEN', 'MERGED', 'DECLINED', 'SUPERSEDED']),
  title: Type.String(),
  description: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  links: Type.Object({ html: Type.Object({ href: Type.String() }) }),
  source: End,
  destination: End,
});
const Pulls = Type.Object({ values: Type.Array(Pull, { maxItems: 100 }) });
const Commits = Type.Object({ values: Type.Array(Type.Object({ hash: Type.String() }), { maxItems: 100 }) });

const PAGE = 20;
const STATES = Object.freeze(['OPEN', 'MERGED', 'DECLINED', 'SUPERSEDED']);

export const bitbucket: Api = Object.freeze({
  async between(ask, remote, { head, base }) {
    const query = new URLSearchParams();
    for (const state of STATES) query.append('state', state);
    query.set('q', `source.branch.name = ${quoted(head)} AND destination.branch.name = ${quoted(base)}`);
    query.set('sort', '-created_on');
    query.set('pagelen', String(PAGE));
    const answer = await ask({ method: 'GET', path: `${pulls(remote)}?${query.toString()}`, to: 'list the pull requests' });
    return parsed(Pulls, answer)
      .values.filter(
        ({ source, destination }) =>
          source.branch.name === head && destination.branch.name === base && isSameRepository(source, destination),
      )
      .map(pullRequest);
  },
  async isAhead(ask, remote, { head, base }) {
    const query = new URLSearchParams({ include: head, exclude: base, pagelen: '1' });
    const path = `/repositories/${ownerAndName(remote)}/commits?${query.toString()}`;
    const to = `compare the branches ${base} and ${head}`;
    return parsed(Commits, await ask({ method: 'GET', path, to })).values.length > 0;
  },
  async open(ask, remote, { head, base, title, body }) {
    const wanted = { title, description: body, source: { branch: { name: head } }, destination: { branch: { name: base } } };
    return pullRequest(parsed(Pull, await ask({ method: 'POST', path: pulls(remote), body: wanted, to: 'open a pull request' })));
  },
  async update(ask, remote, number, { title, body }) {
    await ask({
      method: 'PUT',
      path: `${pulls(remote)}/${number}`,
      body: { title, description: body },
      to: `change pull request ${number}`,
    });
  },
  async close(ask, remote, number) {
    await ask({ method: 'POST', path: `${pulls(remote)}/${number}/decline`, body: {}, to: `decline pull request ${number}` });
  },
} satisfies Api);

function pulls(remote: ForgeRemote): string {
  return `/repositories/${ownerAndName(remote)}/pullrequests`;
}

/** A text of Bitbucket's query language. Branch names hold no backslash. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`;
}

function isSameRepository(source: Static<typeof End>, destination: Static<typeof End>): boolean {
  return source.repository !== null && source.repository.full_name === destination.repository?.full_name;
}

function pullRequest(one: Static<typeof Pull>): PullRequest {
  return Object.freeze({
    number: one.id,
    url: shownUrl(one.links.html.href),
    state: one.state === 'OPEN' ? 'open' : one.state === 'MERGED' ? 'merged' : 'closed',
    title: one.title,
    body: one.description ?? '',
    labels: [],
    headCommit: one.source.commit?.hash ?? '',
  });
}
