import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { createEgress } from '#adapters/egress/egress.ts';
import { createEgressHttp } from '#adapters/egress/http.ts';
import { createPullRequests } from '#adapters/pull-requests/pull-requests.ts';
import { AppError } from '#core/errors.ts';
import type { EgressHttp } from '#core/http.ts';
import { type Forge, type ForgeRemote, forges, type PullRequests } from '#core/pull-requests.ts';
import { systemClock } from '#core/time.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type ForgeServer, forgeToken, startForge } from './forge-server.ts';
import { addPull } from './forge-state.ts';

const folder = useTemporaryDir('file');
const limits = { timeoutMs: 5_000 };
const signal = new AbortController().signal;
const branches = { head: 'weir/image updates+1', base: 'main' };
const text = { title: 'Update images', body: 'what changed\n\n<!-- mark -->' };
let forge: ForgeServer;
let http: EgressHttp;
let port: PullRequests;
let caPem: string;

beforeAll(async () => {
  const authority = await openLocalAuthority(join(folder(), 'ca'), 'forge tests');
  caPem = authority.certificatePem;
  forge = await startForge(authority, 'team/app');
  http = createEgressHttp({ egress: createEgress({ allowCidrs: ['127.0.0.0/8'] }), userAgent: 'weir/test', clock: systemClock });
  port = createPullRequests({ http, clock: systemClock, allowHttpHosts: [] });
});
afterAll(async () => {
  await http.close();
  await forge.stop();
});
beforeEach(() => {
  forge.takeOver(null);
  for (const list of [forge.state.pulls, forge.state.labels, forge.requests]) list.length = 0;
  forge.state.branches = { ahead: async () => true, commit: async () => 'a'.repeat(40) };
});

const remoteOf = (kind: Forge): ForgeRemote => ({
  forge: kind,
  apiUrl: forge.apiUrl(kind),
  repository: 'team/app',
  credential: { is: 'bearer', token: forgeToken },
  caPem,
});
const labelsOf = (kind: Forge): readonly string[] => (kind === 'bitbucket' ? [] : ['images', 'bot']);
async function failureOf(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AppError)) throw new Error('no AppError was thrown');
  expect(error.message).not.toContain(forgeToken);
  return error;
}

/** What each API documents for opening, changing and closing request 1. */
const documented: Readonly<Record<Forge, readonly string[]>> = {
  github: ['POST /github/repos/team/app/pulls', 'PATCH /github/repos/team/app/pulls/1', 'PATCH /github/repos/team/app/pulls/1'],
  gitlab: [
    'POST /gitlab/api/v4/projects/team%2Fapp/merge_requests',
    'PUT /gitlab/api/v4/projects/team%2Fapp/merge_requests/1',
    'PUT /gitlab/api/v4/projects/team%2Fapp/merge_requests/1',
  ],
  gitea: [
    'POST /gitea/api/v1/repos/team/app/pulls',
    'PATCH /gitea/api/v1/repos/team/app/pulls/1',
    'PATCH /gitea/api/v1/repos/team/app/pulls/1',
  ],
  bitbucket: [
    'POST /bitbucket/2.0/repositories/team/app/pullrequests',
    'PUT /bitbucket/2.0/repositories/team/app/pullrequests/1',
    'POST /bitbucket/2.0/repositories/team/app/pullrequests/1/decline',
  ],
};

describe.each(forges)('%s', (kind) => {
  const labels = labelsOf(kind);

  it('opens, shows, changes and closes a request, by the documented calls with the token as bearer', async () => {
    expect(await port.newest(remoteOf(kind), branches, limits, signal)).toBeNull();
    const opened = await port.open(remoteOf(kind), { ...branches, ...text, labels }, limits, signal);
    expect(opened).toMatchObject({
      number: 1,
      state: 'open',
      title: text.title,
      body: text.body,
      url: expect.stringMatching(/^https:\/\//),
    });
    expect('a'.repeat(40).startsWith(opened.headCommit)).toBe(true);
    const seen = await port.newest(remoteOf(kind), branches, limits, signal);
    expect(seen).toMatchObject({ number: 1, state: 'open', body: text.body });
    expect(seen?.labels.toSorted()).toEqual(labels.toSorted());
    await port.update(remoteOf(kind), 1, { title: 'Newer', body: 'b', labels: [...labels] }, limits, signal);
    expect(forge.state.pulls[0]).toMatchObject({ title: 'Newer', body: 'b', labels });
    await port.close(remoteOf(kind), 1, limits, signal);
    expect((await port.newest(remoteOf(kind), branches, limits, signal))?.state).toBe('closed');
    const calls = forge.requests.map(({ method, url }) => `${method} ${url}`);
    expect(calls.filter((one) => documented[kind].includes(one))).toEqual(documented[kind]);
    expect(new Set(forge.requests.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${forgeToken}`]));
  });

  it('opens none twice, also when the answer to the first was lost', async () => {
    let cut = 0;
    forge.takeOver((request, response) => {
      if (request.method !== 'POST' || !/(pulls|merge_requests|pullrequests)$/.test(request.url ?? '') || cut > 0) return false;
      cut += 1;
      // It is made, and nobody hears of it.
      void addPull(forge.state, { ...branches, ...text }).then(() => response.destroy());
      return true;
    });
    const error = await failureOf(port.open(remoteOf(kind), { ...branches, ...text, labels: [] }, limits, signal));
    expect(error.code).toBe('upstreamFailed');
    expect(await port.newest(remoteOf(kind), branches, limits, signal)).toMatchObject({ number: 1, state: 'open' });
    if (kind !== 'bitbucket') {
      const again = await port.open(remoteOf(kind), { ...branches, ...text, labels: [] }, limits, signal);
      expect(again.number).toBe(1);
    }
    expect(forge.state.pulls.length).toBe(1);
  });

  it('never takes a request of a fork with the same branch name for one of the repository', async () => {
    await addPull(forge.state, { ...branches, ...text, fork: true });
    expect(await port.newest(remoteOf(kind), branches, limits, signal)).toBeNull();
  });

  it('the open one counts before newer ones that are over; else the newest', async () => {
    await addPull(forge.state, { ...branches, ...text, state: 'closed' });
    await addPull(forge.state, { ...branches, ...text, state: 'merged', headCommit: 'c'.repeat(40) });
    expect(await port.newest(remoteOf(kind), branches, limits, signal)).toMatchObject({ number: 2, state: 'merged' });
    const [first] = forge.state.pulls;
    if (first !== undefined) first.state = 'open';
    expect(await port.newest(remoteOf(kind), branches, limits, signal)).toMatchObject({ number: 1, state: 'open' });
  });

  it('asks which commits the head has beyond the base, by their names', async () => {
    const asked: string[][] = [];
    forge.state.branches = { ahead: async (...pair) => asked.push(pair) > 1, commit: async () => null };
    expect(await port.isAhead(remoteOf(kind), branches, limits, signal)).toBe(false);
    expect(await port.isAhead(remoteOf(kind), branches, limits, signal)).toBe(true);
    expect(asked).toEqual([
      [branches.base, branches.head],
      [branches.base, branches.head],
    ]);
  });

  it.each([
    ['a refused token', 401, 'upstreamAuthFailed'],
    ['a missing right', 403, 'upstreamAuthFailed'],
    ['no such repository', 404, 'notFound'],
    ['a server at fault', 500, 'upstreamFailed'],
    ['a redirect to another host', 302, 'upstreamFailed'],
  ] as const)('%s (%i) is said without the words of the server', async (_what, status, code) => {
    forge.takeOver((request, response) => {
      response.writeHead(status, { location: 'https://elsewhere.test/' });
      response.end(JSON.stringify({ message: `you sent ${request.headers.authorization ?? ''}` }));
      return true;
    });
    const error = await failureOf(port.newest(remoteOf(kind), branches, limits, signal));
    expect(error.code).toBe(code);
    expect(forge.requests.length).toBe(1);
  });

  it.each([
    ['a web page', '<html>'],
    ['null', 'null'],
    ['another shape', '{"values": 7}'],
    ['numbers as text', '[{"number": "1"}]'],
    ['deep nesting', `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  ])('%s in place of the answer is refused', async (_what, sent) => {
    forge.takeOver((_request, response) => {
      response.end(sent);
      return true;
    });
    expect((await failureOf(port.newest(remoteOf(kind), branches, limits, signal))).code).toBe('upstreamFailed');
  });
});

test('a body without end is cut at the limit', async () => {
  forge.takeOver((_request, response) => {
    const block = Buffer.alloc(65_536, ' ');
    const more = (): void => {
      while (!response.destroyed && response.write(block));
    };
    response.on('drain', more);
    more();
    return true;
  });
  expect((await failureOf(port.newest(remoteOf('github'), branches, limits, signal))).code).toBe('upstreamTooLarge');
});

test.each([
  ['Retry-After', 429, { 'retry-after': '7' }, 7_000],
  ['GitHub’s budget', 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000) + 60) }, null],
] as const)('%s says when to come again', async (_what, status, headers, exactMs) => {
  forge.takeOver((_request, response) => {
    response.writeHead(status, headers).end('{}');
    return true;
  });
  const { code, details } = await failureOf(port.newest(remoteOf('github'), branches, limits, signal));
  expect(code).toBe('upstreamFailed');
  if (exactMs === null) expect(details.retryAfterMs).toBeGreaterThan(30_000);
  else expect(details.retryAfterMs).toBe(exactMs);
});

test('a page address that is none of the web is not shown', async () => {
  forge.takeOver((_request, response) => {
    const pull = { number: 1, state: 'open', title: '', labels: [], head: { ref: branches.head, sha: 'a' }, base: { ref: 'main' } };
    response.end(JSON.stringify([{ ...pull, html_url: 'javascript:alert(1)' }]));
    return true;
  });
  expect((await port.newest(remoteOf('github'), branches, limits, signal))?.url).toBe('');
});

test('Gitea: what stands on a later page is found, and labels keep their numbers', async () => {
  for (let count = 0; count < 7; count += 1) await addPull(forge.state, { head: `other-${count}`, base: 'main', title: 't', body: '' });
  forge.state.labels.push(...['a', 'b', 'c', 'd', 'images'].map((name, index) => ({ id: index + 1, name })));
  const [first] = forge.state.pulls;
  if (first !== undefined) first.head = branches.head;
  expect(await port.newest(remoteOf('gitea'), branches, limits, signal)).toMatchObject({ number: 1 });
  await port.update(remoteOf('gitea'), 1, { ...text, labels: ['images', 'new'] }, limits, signal);
  expect(forge.state.labels.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'images', 'new']);
  expect(first?.labels.toSorted()).toEqual(['images', 'new']);
});

test('a private address is refused before anything is sent', async () => {
  const strict = createEgressHttp({ egress: createEgress({ allowCidrs: [] }), userAgent: 'weir/test', clock: systemClock });
  const closed = createPullRequests({ http: strict, clock: systemClock, allowHttpHosts: [] });
  expect((await failureOf(closed.newest(remoteOf('gitea'), branches, limits, signal))).code).toBe('egressDenied');
  expect(forge.requests).toEqual([]);
  await strict.close();
  const plain = { ...remoteOf('gitea'), apiUrl: `http://${forge.host}/gitea/api/v1` };
  expect((await failureOf(port.newest(plain, branches, limits, signal))).code).toBe('egressDenied');
});
