import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { apply, auditOf, bindFor, clustersFor, configMap, item, onboard, type Tenant, until } from '#tests/cluster/tenant.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');
let running: RunningCluster;
let tenant: Tenant;
let tight: ChildProcess;

/** The same API server, started anew with room for two requests at a time: its own 429s, not ours. */
beforeAll(async () => {
  const tools = await loadToolPaths({ only: ['etcd', 'kubeApiserver'] });
  running = await startCluster(children, { dir: `${dir()}/tight`, name: 'tight', controllers: false, tools });
  tenant = await onboard(running);
  const pids = await Promise.all(
    running
      .pids()
      .map(async (pid) => ({ pid, args: (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').filter((arg) => arg !== '') })),
  );
  const found = pids.find(({ args }) => args.some((arg) => arg.startsWith('--etcd-servers')));
  if (found === undefined) throw new Error('no API server');
  const cwd = await readlink(`/proc/${found.pid}/cwd`);
  const from = found.args.findIndex((arg) => arg.endsWith('kube-apiserver') || arg.includes('kube-apiserver'));
  await running.stopApiServer();
  const [command, ...args] = found.args.slice(from);
  tight = spawn(command ?? '', [...args, '--max-requests-inflight=2', '--max-mutating-requests-inflight=2'], {
    cwd,
    stdio: 'ignore',
    env: {},
  });
  await until(async () => (await tenant.admin.call('GET', '/readyz').catch(() => null))?.status === 200, 60_000);
});
afterAll(async () => {
  const ended = new Promise((resolve) => tight.once('exit', resolve));
  tight.kill('SIGKILL');
  await ended;
  await running.stop();
});

test('fault 18: a real 429 is waited out; everything is applied with at most 1.2 times the requests', async () => {
  const clusters = clustersFor([tenant]);
  try {
    const delivery = randomUUID();
    const cluster = bindFor(clusters, tenant, delivery);
    const items = Array.from({ length: 200 }, (_, index) => item(configMap(tenant.namespace, `tight-${index}`, {}), delivery));
    await cluster.live(delivery, [], AbortSignal.timeout(30_000));
    const startedMs = performance.now();
    const results = await apply(cluster, items);
    expect(results.every((one) => one.action === 'created')).toBe(true);
    const lines = (await auditOf(running.auditLogPath, tenant.user)).filter((line) => line.name.startsWith('tight-'));
    const sent = clusters.requestsSent(tenant.access);
    process.stdout.write(
      `measured: 200 objects with room for 2 requests: ${sent} requests sent, ${lines.length} audited, ${(performance.now() - startedMs).toFixed(0)} ms\n`,
    );
    // Per object a look before the write and the write; discovery and token beside them.
    expect(sent).toBeLessThanOrEqual(1.2 * 404);
  } finally {
    await clusters.close();
  }
});
