import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { at, isObject, type JsonObject } from '#core/json.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type ForgeServer, forgeToken, startForge } from '#tests/pull-requests/forge-server.ts';
import { useImageStage } from './stage.ts';

/** From a tag in a registry to a pull request, on real git branches; the server of requests speaks the documented APIs. */

const stage = useImageStage();
const folder = useTemporaryDir('file');
const registryLogin = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
const bot = { scheme: 'basic', username: 'bot', password: 'bot-password-3d5e', mayPush: true } as const;
const author = { name: 'Weir Bot', email: 'bot@weir.test' };
const policySpec = { automations: { names: ['web'] }, provider: 'gitea', repository: 'team/web', secretRef: { name: 'forge' } };
let forge: ForgeServer;
let authorityPem: string;
let minor = 0;

beforeAll(async () => {
  const authority = await openLocalAuthority(join(folder(), 'ca'), 'forge');
  authorityPem = authority.certificatePem;
  forge = await startForge(authority, 'team/web');
  forge.state.branches = {
    ahead: async (base, head) => (await git('rev-list', '--count', `origin/${base}..origin/${head}`)) !== '0',
    commit: (branch) => git('rev-parse', '--verify', '--quiet', `origin/${branch}`).catch(() => null),
  };
  await stage.logins();
  const ca = { 'ca.crt': stage.caPem() };
  await stage.secret('git-bot', { username: bot.username, password: bot.password, ...ca });
  await stage.secret('forge', { token: forgeToken, 'ca.crt': authority.certificatePem });
  await stage.create('ImageRepository', 'web', { image: `${stage.registry().host}/team/web`, interval: '10m', ...registryLogin });
  await stage.create('ImagePolicy', 'web', { imageRepositoryRef: { name: 'web' }, policy: { semver: { range: '1.x' } } });
  const marked = 'image: x:1 # {"$imagepolicy": "acme:web"}\n';
  await stage.git().createRepository('web', {
    access: { readers: 'credentials', credentials: [bot] },
    files: { 'a/web.yaml': marked, 'b/web.yaml': marked },
  });
  const url = stage.git().urlOf('web');
  await stage.create('GitRepository', 'web', { url, interval: '10m', ref: { branch: 'main' }, secretRef: { name: 'git-bot' } });
  await automation('web', 'weir/a', './a');
  await newTag();
});
afterAll(() => forge.stop());
beforeEach(() => {
  forge.requests.length = 0;
});

async function automation(name: string, branch: string, path: string): Promise<void> {
  const spec = { interval: '10m', sourceRef: { kind: 'GitRepository', name: 'web' }, update: { strategy: 'Setters', path } };
  await stage.create('ImageUpdateAutomation', name, { ...spec, git: { commit: { author }, push: { branch } } });
}

async function newTag(): Promise<string> {
  minor += 1;
  await stage.push('team/web', `1.${minor}.0`);
  await stage.due('ImageRepository', 'web');
  await stage.settle();
  return `1.${minor}.0`;
}

async function git(...words: readonly string[]): Promise<string> {
  const copy = await stage.git().workingCopy('web');
  await copy.git('fetch', '--quiet', '--prune', 'origin');
  return (await copy.git(...words)).trim();
}

const url = (): string => forge.apiUrl('gitea');
const requests = async (name = 'images') => at(await stage.get('PullRequestPolicy', name), 'status', 'requests');
const writes = (): readonly string[] => forge.requests.filter(({ method }) => method !== 'GET').map((one) => `${one.method} ${one.url}`);

test('a push of an automation becomes a request; the next push changes it; nothing new sends nothing', async () => {
  await stage.create('PullRequestPolicy', 'images', { ...policySpec, url: url(), labels: ['images'], title: 'Newer images' });
  await stage.settle();
  const head = await git('rev-parse', 'origin/weir/a');
  expect(await stage.ready('PullRequestPolicy', 'images')).toMatchObject({
    status: 'True',
    message: '1 open, 0 merged, 0 closed, 0 without a change',
  });
  expect(await requests()).toEqual([
    {
      automations: ['web'],
      repository: 'team/web',
      head: 'weir/a',
      base: 'main',
      state: 'Open',
      commit: head,
      number: 1,
      url: 'https://forge.test/pulls/1',
    },
  ]);
  const [pull] = forge.state.pulls;
  expect(pull).toMatchObject({ title: 'Newer images', labels: ['images'], head: 'weir/a', base: 'main', state: 'open' });
  expect(pull?.body).toContain(`| \`web\` | \`${stage.registry().host}/team/web:1.1.0\` |`);
  expect(forge.requests.every(({ authorization }) => authorization === `Bearer ${forgeToken}`)).toBe(true);

  await newTag();
  expect(forge.state.pulls.length).toBe(1);
  expect(pull?.body).toContain('/team/web:1.2.0` |');
  expect(await requests()).toMatchObject([{ state: 'Open', number: 1, commit: await git('rev-parse', 'origin/weir/a') }]);

  forge.requests.length = 0;
  const before = await stage.get('PullRequestPolicy', 'images');
  await stage.due('PullRequestPolicy', 'images');
  await stage.settle();
  expect(writes()).toEqual([]);
  expect(forge.requests.length).toBe(2);
  expect(await stage.get('PullRequestPolicy', 'images')).toEqual(before);
  expect(JSON.stringify(before)).not.toContain(forgeToken);
});

test('what was merged, even by squashing, is not asked for again before there is a newer commit', async () => {
  const [pull] = forge.state.pulls;
  if (pull === undefined) throw new Error('no request');
  Object.assign(pull, { state: 'merged', headCommit: await git('rev-parse', 'origin/weir/a') });
  await stage.due('PullRequestPolicy', 'images');
  await stage.settle();
  expect(await requests()).toMatchObject([{ state: 'Merged', number: 1 }]);
  expect(writes()).toEqual([]);
  await newTag();
  expect(await requests()).toMatchObject([{ state: 'Open', number: 2 }]);
  expect(forge.state.pulls.length).toBe(2);
});

test('a request is closed when its base has everything, and when its automation pushes elsewhere', async () => {
  await git('push', '--quiet', 'origin', 'origin/weir/a:refs/heads/main');
  await stage.due('PullRequestPolicy', 'images');
  await stage.settle();
  expect(forge.state.pulls[1]?.state).toBe('closed');
  expect(await requests()).toMatchObject([{ state: 'Closed', number: 2 }]);
  await newTag();
  expect(await requests()).toMatchObject([{ state: 'Open', number: 3 }]);
  await stage.patch('ImageUpdateAutomation', 'web', { spec: { git: { push: { branch: 'weir/elsewhere' } } } });
  await stage.settle();
  expect(forge.state.pulls.map(({ state }) => state)).toEqual(['merged', 'closed', 'closed', 'open']);
  const opened = { state: 'Open', number: 4, head: 'weir/elsewhere' };
  expect(await requests()).toMatchObject([{ state: 'Closed', number: 3, head: 'weir/a' }, opened]);
  await stage.due('PullRequestPolicy', 'images');
  await stage.settle();
  expect(await requests()).toMatchObject([opened]);
});

test('a request that a person opened is shown and let be', async () => {
  const last = forge.state.pulls.at(-1);
  if (last === undefined) throw new Error('no request');
  Object.assign(last, { title: 'By hand', body: 'mine' });
  await stage.due('PullRequestPolicy', 'images');
  await stage.settle();
  expect(last).toMatchObject({ title: 'By hand', body: 'mine', state: 'open' });
  expect(await requests()).toMatchObject([{ state: 'Open', message: 'somebody else opened it; it is let be' }]);
});

test('two automations at one branch share a request where the policy says so, and are refused where not', async () => {
  await automation('second', 'weir/elsewhere', './b');
  await stage.settle();
  const both = { ...policySpec, automations: { names: ['web', 'second'] }, url: url() };
  await stage.create('PullRequestPolicy', 'apart', both);
  await stage.settle();
  expect(await stage.ready('PullRequestPolicy', 'apart')).toMatchObject({
    stalled: true,
    reason: 'ValidationFailed',
    message: expect.stringContaining('push to weir/elsewhere: set another spec.git.push.branch in each, or use Policy'),
  });
  forge.state.pulls.length = 0;
  await stage.create('PullRequestPolicy', 'shared', { ...both, requestPer: 'Policy' });
  await stage.settle();
  expect(forge.state.pulls.length).toBe(1);
  const [shared] = (await requests('shared')) as readonly JsonObject[];
  expect(isObject(shared) ? shared['automations'] : null).toEqual(['second', 'web']);
});

test('what goes wrong is said, and the token with none of it', async () => {
  await stage.secret('other-authority', { token: forgeToken, 'ca.crt': stage.caPem() });
  await stage.secret('wrong', { token: 'another-token-canary-77', 'ca.crt': authorityPem });
  const cases: readonly (readonly [string, JsonObject, RegExp])[] = [
    ['absent', { secretRef: { name: 'nowhere' } }, /AuthenticationFailed Secret acme\/nowhere does not exist/],
    ['stranger', { secretRef: { name: 'other-authority' } }, /certificate/],
    ['refused', { secretRef: { name: 'wrong' } }, /AuthenticationFailed .*\(401\): it refuses the token/],
    ['moved', { repository: 'team/gone' }, /PullRequestFailed .* does not list the pull requests of team\/gone \(404\)/],
    ['pointless', { base: 'weir/elsewhere' }, /PullRequestFailed ImageUpdateAutomation web: it pushes to weir\/elsewhere itself/],
  ];
  for (const [name, change] of cases) await stage.create('PullRequestPolicy', name, { ...policySpec, url: url(), ...change });
  await stage.settle();
  for (const [name, , expected] of cases) {
    const { reason, message, status } = await stage.ready('PullRequestPolicy', name);
    expect(status).toBe('False');
    expect(`${reason} ${message}`).toMatch(expected);
    expect(message).not.toMatch(/canary/);
  }
});

test('a policy that cannot mean anything is refused when it is written', async () => {
  const path = '/apis/weir.dev/v1/namespaces/acme/pullrequestpolicies';
  const answers = async (spec: JsonObject): Promise<string> => {
    const body = { apiVersion: 'weir.dev/v1', kind: 'PullRequestPolicy', metadata: { name: 'x', namespace: 'acme' }, spec };
    const reply = await stage.api.ask('admin', path, { method: 'POST', body });
    expect(reply.status).toBe(422);
    return reply.text;
  };
  expect(await answers(policySpec)).toContain('is required for gitea');
  expect(await answers({ ...policySpec, url: 'https://bot:pw@forge.test' })).toContain('must not contain a user name or password');
  expect(await answers({ ...policySpec, url: url(), repository: 'a/../b' })).toContain('must be owner/name');
  expect(await answers({ ...policySpec, url: url(), automations: {} })).toContain('names or selector is required');
  expect(await answers({ ...policySpec, provider: 'bitbucket', labels: ['x'] })).toContain('Bitbucket has no labels');
  expect(await answers({ ...policySpec, url: url(), labels: ['a,b'] })).toContain('without commas');
});
