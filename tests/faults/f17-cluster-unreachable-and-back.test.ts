import { afterAll, beforeAll, expect, it } from 'vitest';
import { placement } from '#deploy/demo/definitions.ts';
import { until } from '#deploy/demo/until.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import { liveObjects } from '#tests/harness/fault-cluster.ts';
import { readRows } from '#tests/harness/fault-rows.ts';
import { type FaultStage, faultTenant, startFaultStage, work } from '#tests/harness/fault-stage.ts';
import { conditionOf, configMap, filesOf, openHistory, type WorkHistory } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** Fault 17 of reliability.md: one of two clusters is away; the other goes on, nothing is pruned, and all of it arrives when it is back. */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage; history: WorkHistory } = {} as never;
const FIRST = { a: '0', b: '0' };
const BACK_MS = 60_000;
/** A Cluster that is Ready again wakes its deliveries: none waits for the end of its back-off. */
const WOKEN_MS = 5_000;
/** Keeps the other definition's folder out of the root's. */
const ROOT = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml, b.yaml]\n';

beforeAll(async () => {
  at.stage = await startFaultStage(children, {
    dir: dir(),
    files: { ...filesOf(FIRST), 'other/west.yaml': configMap('west', '0'), 'kustomization.yaml': ROOT },
    stores: 'embedded',
    secondCluster: true,
    definitions: [placement(faultTenant, 'west', ['west'], { names: ['west'] }), work(faultTenant, 'west', './other')],
  });
  at.history = await openHistory(at.stage, FIRST);
  await at.history.converged(30_000);
});

afterAll(async () => {
  at.history.stop();
  await at.stage.stop();
});

it('the other cluster is served meanwhile; all arrives within 60 s after healing', async () => {
  const { stage, history } = at;
  const { other } = stage;
  if (other === null) throw new Error('a second cluster was asked for');
  await stage.cluster.stopApiServer();
  await history.commit({ a: 'away', b: 'away' });
  await stage.git.commitFiles(faultTenant.repository, 'main', { 'other/west.yaml': configMap('west', 'meanwhile') });
  await history.trigger();
  await until('the other cluster goes on', 10_000, 50, async () =>
    (await liveObjects(other.admin)).some((one) => one.content === 'meanwhile') ? true : null,
  );
  const seen = await until('the definition says so', 35_000, 100, async () => {
    const ready = await conditionOf(stage, 'work');
    return ready.reason === 'ClusterUnreachable' ? ready : null;
  });
  expect(seen.message).toContain('east');
  const unreachable = await until('the cluster says so', 35_000, 200, async () => {
    const state = await clusterState(stage, 'east');
    return state.includes('nreachable') ? state : null;
  });
  expect(unreachable).toMatch(/[Uu]nreachable/);
  expect((await conditionOf(stage, 'west')).status).toBe('True');

  await stage.cluster.startApiServer();
  await until('the cluster answers', 30_000, 50, async () =>
    (await callCluster(stage.cluster.admin, { method: 'GET', path: '/readyz' }).catch(() => null))?.status === 200 ? true : null,
  );
  const backMs = Date.now();
  await until('the cluster says that it is back', BACK_MS, 50, async () =>
    (await clusterState(stage, 'east')).includes('"type":"Ready","status":"True"') ? true : null,
  );
  const readyMs = Date.now();
  await history.converged(WOKEN_MS);
  expect(Date.now() - readyMs).toBeLessThan(WOKEN_MS);
  expect(Date.now() - backMs).toBeLessThan(BACK_MS);
}, 120_000);

/** What the tenant is shown of a shared cluster has no detail: the row has. */
async function clusterState(stage: FaultStage, name: string): Promise<string> {
  const rows = await readRows<{ status: unknown }>(
    await stage.databaseUrl(),
    "select status from weir.objects where kind = 'Cluster' and name = $1",
    [name],
  );
  return JSON.stringify(rows[0]?.status ?? {});
}
