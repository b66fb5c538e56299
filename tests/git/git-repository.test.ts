import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArtifactStore, createArtifacts } from '#adapters/blob/artifacts.ts';
import { brokenStatusRules, conditionOf } from '#core/conditions.ts';
import { noFailpoints } from '#core/failpoints.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';
import type { Judged } from '#core/kind.ts';
import { silentLog } from '#core/log.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { finalStatus } from '#core/reconcile/write-up.ts';
import type { StoredObject } from '#core/store.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { gitRepositoryKind } from '#kinds/git-repository/index.ts';
import { startGitServer, type TestGitServer } from './git-server.ts';
import { openTenantGit, signal, TENANT_A, type TenantGit } from './tenant-git.ts';

let server: TestGitServer;
let tenant: TenantGit;
let store: ArtifactStore;
const kind = runnable(gitRepositoryKind);

beforeAll(async () => {
  server = await startGitServer();
  tenant = await openTenantGit();
  store = createArtifacts({ dir: join(tenant.root, 'artifacts'), clock: tenant.options.clock });
});
afterAll(async () => {
  await server.close();
  await tenant.close();
});

type Run = Readonly<{ status: JsonObject; judged: Judged<never>; acts: readonly string[]; requests: number }>;

/** One pass over the real git server and artifact store, in the order of core/reconcile: observe, decide, act, look again, judge. */
async function pass(spec: JsonObject, before: JsonObject | null, secret: Readonly<Record<string, string>> = {}): Promise<Run> {
  const definition: StoredObject = {
    tenantId: TENANT_A,
    kind: 'GitRepository',
    uid: 'u',
    namespace: 'team',
    name: 'app',
    generation: 1,
    resourceVersion: '1',
    createdAtMs: 0,
    deletingAtMs: null,
    labels: {},
    annotations: {},
    finalizers: [],
    ownerReferences: [],
    managedFields: [],
    body: { spec: { interval: '1m', secretRef: { name: 'login' }, timeout: '20s', ...spec } },
    status: before,
    sealedKeys: [],
    createdBy: '',
  };
  const values = Object.fromEntries(Object.entries({ 'ca.crt': server.caPem, ...secret }).map(([key, value]) => [key, Buffer.from(value)]));
  const ctx = {
    scope: scopeOfJob({ tenantId: TENANT_A }, 'source'),
    signal,
    log: silentLog,
    failpoints: noFailpoints,
    nowMs: () => tenant.options.clock.nowMs(),
    record: () => undefined,
    git: tenant.git,
    artifacts: store,
    secrets: { read: async (_namespace: string, name: string) => (name === 'login' ? values : null) },
  };
  const requestsBefore = server.requests.length;
  const acts: string[] = [];
  let status = before ?? { observedGeneration: -1 };
  for (;;) {
    const step = await kind.step(ctx as never, { definition, status, done: acts, clusterId: null, deliveryId: null });
    if (step.is === 'act') {
      acts.push(step.do);
      status = { ...status, ...((await step.perform()).status as JsonObject) };
      continue;
    }
    status = finalStatus({ unit: { definition, delivery: null } as never, judged: step.judged, status, nowMs: ctx.nowMs() });
    expect(brokenStatusRules({ generation: 1, status })).toEqual([]);
    return { status, judged: step.judged as Judged<never>, acts, requests: server.requests.length - requestsBefore };
  }
}

test('a branch becomes an artifact, and a second look at the same commit is one ls-remote and writes nothing', async () => {
  const repository = await server.repository('app.git');
  const commit = await repository.commit('main', { 'deploy/a.yaml': 'a: 1\n', 'pic.png': 'x', '.github/ci.yml': 'x' });
  const spec = { url: server.url('app.git'), ref: { branch: 'main' } };
  const first = await pass(spec, null);
  expect(first.acts).toEqual(['build']);
  expect(first.judged).toMatchObject({ is: 'ready', revision: `main@sha1:${commit}` });
  const digest = textAt(first.status, 'artifact', 'digest') ?? '';
  expect([...(await store.index(digest)).keys()]).toEqual(['deploy/a.yaml']);
  expect(at(first.status, 'artifact')).toMatchObject({
    revision: `main@sha1:${commit}`,
    path: `gitrepository/team/app/${commit}.tar.gz`,
    size: expect.any(Number),
  });
  const second = await pass(spec, first.status);
  expect(second.acts).toEqual([]);
  expect(second.requests).toBe(2);
  expect(second.status).toEqual(first.status);
});

test('rules build the same revision again, and taking them away does too', async () => {
  const repository = await server.repository('rules.git');
  await repository.commit('main', { 'a.yaml': '1', 'b.yaml': '2' });
  const spec = { url: server.url('rules.git'), ref: { branch: 'main' } };
  const plain = await pass(spec, null);
  const ruled = await pass({ ...spec, ignore: 'b.yaml' }, plain.status);
  expect(ruled.acts).toEqual(['build']);
  expect([...(await store.index(textAt(ruled.status, 'artifact', 'digest') ?? '')).keys()]).toEqual(['a.yaml']);
  const again = await pass(spec, ruled.status);
  expect(again.acts).toEqual(['build']);
  expect(textAt(again.status, 'artifact', 'digest')).toBe(textAt(plain.status, 'artifact', 'digest'));
  expect((await pass(spec, again.status)).acts).toEqual([]);
});

test('a lost artifact is built again with the same digest', async () => {
  const repository = await server.repository('lost.git');
  await repository.commit('main', { 'a.yaml': '1' });
  const spec = { url: server.url('lost.git'), ref: { branch: 'main' } };
  const first = await pass(spec, null);
  const digest = textAt(first.status, 'artifact', 'digest') ?? '';
  await store.remove(digest);
  const second = await pass(spec, first.status);
  expect(textAt(second.status, 'artifact', 'digest')).toBe(digest);
  expect(await store.has(digest)).toBe(true);
});

test('fault 31: force push, deleted branch, renamed default, emptied, gone and closed repository keep the last artifact and say why', async () => {
  const repository = await server.repository('fault31.git');
  await repository.commit('main', { 'a.yaml': '1' });
  const spec = { url: server.url('fault31.git'), ref: { branch: 'main' } };
  const good = await pass(spec, null);
  await repository.git('checkout', '-q', '--orphan', 'rewritten');
  await repository.git('commit', '-q', '--allow-empty', '-m', 'history is new');
  await repository.git('push', '-q', '-f', repository.directory, 'rewritten:main');
  const forced = await pass(spec, good.status);
  expect(forced.judged).toMatchObject({ is: 'ready' });
  expect(textAt(forced.status, 'artifact', 'revision')).not.toBe(textAt(good.status, 'artifact', 'revision'));
  const kept = at(forced.status, 'artifact');
  const expectKept = (run: Run, reason: string) => {
    expect(run.judged).toMatchObject({ is: 'failed', reason });
    expect(at(run.status, 'artifact')).toEqual(kept);
    expect(conditionOf(run.status, 'FetchFailed')).toMatchObject({ status: 'True', reason });
    expect(conditionOf(run.status, 'ArtifactInStorage')).toMatchObject({ status: 'True' });
    return run.status;
  };
  await repository.git('push', '-q', repository.directory, 'rewritten:trunk');
  await repository.git('push', '-q', repository.directory, ':main');
  let status = expectKept(await pass(spec, forced.status), 'GitOperationFailed');
  await repository.git('push', '-q', repository.directory, ':trunk');
  status = expectKept(await pass(spec, status), 'EmptyGitRepository');
  status = expectKept(await pass({ ...spec, url: server.url('never-was.git') }, status), 'GitOperationFailed');
  server.intercept.handle = (_request, response) => {
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    return true;
  };
  status = expectKept(await pass(spec, status), 'AuthenticationFailed');
  server.intercept.handle = null;
  await repository.git('push', '-q', repository.directory, 'rewritten:main');
  const back = await pass(spec, status);
  expect(back.judged).toMatchObject({ is: 'ready' });
  expect(conditionOf(back.status, 'FetchFailed')).toBeNull();
});

test('a commit that is not on its branch fails with FetchFailed and marks the artifact outdated', async () => {
  const repository = await server.repository('pin.git');
  const commit = await repository.commit('main', { 'a.yaml': '1' });
  const stray = await repository.commit('side', { 'b.yaml': '1' });
  const spec = { url: server.url('pin.git'), ref: { branch: 'main', commit } };
  const good = await pass(spec, null);
  expect(good.judged).toMatchObject({ is: 'ready', revision: `main@sha1:${commit}` });
  const bad = await pass({ ...spec, ref: { branch: 'main', commit: stray } }, good.status);
  expect(bad.acts).toEqual(['build']);
  expect(bad.judged).toMatchObject({
    is: 'failed',
    reason: 'GitOperationFailed',
    message: expect.stringContaining(`commit ${stray} is not on refs/heads/main`),
  });
  expect(conditionOf(bad.status, 'ArtifactOutdated')).toMatchObject({ status: 'True', reason: 'NewRevision' });
  expect(at(bad.status, 'artifact')).toEqual(at(good.status, 'artifact'));
});

test('the credential of the secret is sent, and a wrong one is told', async () => {
  const repository = await server.repository('closed.git');
  await repository.commit('main', { 'a.yaml': '1' });
  server.intercept.handle = (request, response) => {
    if (
      request.headers.authorization === `Basic ${Buffer.from('user:right').toString('base64')}` ||
      request.headers.authorization === 'Bearer token-1'
    )
      return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return true;
  };
  const spec = { url: server.url('closed.git'), ref: { branch: 'main' } };
  expect((await pass(spec, null, { username: 'user', password: 'right' })).judged).toMatchObject({ is: 'ready' });
  expect((await pass(spec, null, { bearerToken: 'token-1' })).judged).toMatchObject({ is: 'ready' });
  expect((await pass(spec, null, { username: 'user', password: 'wrong' })).judged).toMatchObject({
    is: 'failed',
    reason: 'AuthenticationFailed',
  });
  expect((await pass({ ...spec, secretRef: { name: 'gone' } }, null)).judged).toMatchObject({
    is: 'failed',
    reason: 'AuthenticationFailed',
    message: expect.stringContaining('team/gone'),
  });
  server.intercept.handle = null;
});

test.each([
  [{ verify: { secretRef: { name: 'k' } } }, 'spec.verify'],
  [{ include: [{ repository: { name: 'x' } }] }, 'spec.include'],
  [{ sparseCheckout: ['a'] }, 'spec.sparseCheckout'],
  [{ recurseSubmodules: true }, 'spec.recurseSubmodules'],
  [{ provider: 'github' }, 'spec.provider'],
  [{ proxySecretRef: { name: 'p' } }, 'spec.proxySecretRef'],
  [{ url: 'ssh://git@localhost/x' }, 'ssh://'],
])('%j is answered and not ignored', async (field, message) => {
  const run = await pass({ url: server.url('any.git'), ...field }, null);
  expect(run.judged).toMatchObject({ is: 'stalled', reason: 'UnsupportedField', message: expect.stringContaining(message) });
  expect(run.requests).toBe(0);
});
