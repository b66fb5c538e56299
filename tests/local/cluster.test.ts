import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const run = promisify(execFile);
const clusterTimeoutMs = 120_000;

const children = useChildren();
const dir = useTemporaryDir();

async function create(cluster: RunningCluster, path: string, body: unknown): Promise<void> {
  const answer = await callCluster(cluster.admin, { method: 'POST', path, body });
  expect(answer).toMatchObject({ status: 201 });
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await what()) return;
    await sleep(50);
  }
  throw new Error('did not come true within 20 s');
}

function podTemplate(app: string): Readonly<Record<string, unknown>> {
  return {
    metadata: { labels: { app } },
    spec: { restartPolicy: app === 'once' ? 'Never' : 'Always', containers: [{ name: 'c', image: 'example/app:1' }] },
  };
}

test('a whole cluster runs a Deployment and a Job, and its pods go when they are deleted', { timeout: clusterTimeoutMs }, async () => {
  const tools = await loadToolPaths();
  await using cluster = await startCluster(children, { dir: dir(), name: 'east', controllers: true, nodes: 2, tools });
  const spec = { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: podTemplate('web') };
  await create(cluster, '/apis/apps/v1/namespaces/default/deployments', { metadata: { name: 'web' }, spec });
  await create(cluster, '/apis/batch/v1/namespaces/default/jobs', { metadata: { name: 'once' }, spec: { template: podTemplate('once') } });

  const kubectl = async (...args: readonly string[]): Promise<string> =>
    (await run(tools.kubectl, ['--kubeconfig', cluster.adminKubeconfigPath, ...args], { env: {}, timeout: 60_000 })).stdout;
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=30s');
  await kubectl('wait', '--for=condition=Complete', 'job/once', '--timeout=30s');
  const placed = await kubectl(
    'get',
    'pods',
    '-l',
    'app=web',
    '-o',
    'jsonpath={range .items[*]}{.status.phase} {.status.podIP} {.spec.nodeName};{end}',
  );
  expect(placed).toMatch(/^(Running 10\.244\.\d+\.\d+ east-node-[12];){3}$/);

  await kubectl('delete', 'deployment', 'web', '--cascade=foreground', '--timeout=30s');
  await until(async () => (await kubectl('get', 'pods', '-l', 'app=web', '-o', 'name')) === '');
  await expect(kubectl('auth', 'can-i', 'create', 'deployments', '--as=nobody')).rejects.toMatchObject({ stdout: 'no\n' });
});

test('a light cluster keeps its data and its address through an outage, and its audit log names who wrote', {
  timeout: clusterTimeoutMs,
}, async () => {
  const tools = await loadToolPaths({ only: ['etcd', 'kubeApiserver'] });
  await using cluster = await startCluster(children, { dir: dir(), name: 'west', controllers: false, tools });
  await create(cluster, '/api/v1/namespaces/default/configmaps', { metadata: { name: 'kept' }, data: { a: 'b' } });
  await cluster.stopApiServer();
  await expect(callCluster(cluster.admin, { method: 'GET', path: '/readyz' })).rejects.toThrow(/ECONNREFUSED/);
  await cluster.startApiServer();
  const kept = await callCluster(cluster.admin, { method: 'GET', path: '/api/v1/namespaces/default/configmaps/kept' });
  expect(kept).toMatchObject({ status: 200, body: { data: { a: 'b' } } });

  const events = (await readFile(cluster.auditLogPath, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(events).toContainEqual(
    expect.objectContaining({
      verb: 'create',
      userAgent: 'demo-operator',
      user: expect.objectContaining({ username: 'kubernetes-admin' }),
      objectRef: expect.objectContaining({ resource: 'configmaps', namespace: 'default', name: 'kept' }),
    }),
  );
});

test('an API server refuses who has no account, and a second cluster does not start in a used folder', {
  timeout: clusterTimeoutMs,
}, async () => {
  const tools = await loadToolPaths({ only: ['etcd', 'kubeApiserver'] });
  await using cluster = await startCluster(children, { dir: dir(), name: 'west', controllers: false, tools });
  const { stdout } = await run('curl', ['-s', '--cacert', join(dir(), 'ca.crt'), `${cluster.server}/api/v1/secrets`]);
  expect(JSON.parse(stdout)).toMatchObject({ code: 403, reason: 'Forbidden' });
  await expect(startCluster(children, { dir: dir(), name: 'west', controllers: false, tools })).rejects.toThrow(/empty folder/);
});

test('a part that does not start is named, its log is quoted, and nothing stays behind', async () => {
  const tools = await loadToolPaths({ only: ['etcd'] });
  const broken = { etcd: tools.etcd, kubeApiserver: process.execPath };
  const started = startCluster(children, { dir: dir(), name: 'west', controllers: false, tools: broken });
  await expect(started).rejects.toThrow(/kube-apiserver of cluster west ended before it was ready \(exit code 9\).*bad option/s);
});

test('a controller that ends while the cluster comes up fails the start at once', { timeout: clusterTimeoutMs }, async () => {
  const tools = await loadToolPaths();
  const started = startCluster(children, {
    dir: dir(),
    name: 'west',
    controllers: true,
    nodes: 1,
    tools: { ...tools, kwok: process.execPath },
  });
  await expect(started).rejects.toThrow(/kwok of cluster west ended \(exit code 9\).*bad option/s);
});
