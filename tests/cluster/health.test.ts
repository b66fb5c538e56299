import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import type { Change } from '#adapters/kube/watch/live-view.ts';
import type { JsonObject } from '#core/json.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import {
  apply,
  bindFor,
  clustersFor,
  configMap,
  deployment,
  everything,
  item,
  never,
  onboard,
  type Tenant,
  until,
} from '#tests/cluster/tenant.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');
let running: RunningCluster;
let tenant: Tenant;
let clusters: Clusters;
const changes: Change[] = [];

beforeAll(async () => {
  running = await startCluster(children, {
    dir: `${dir()}/whole`,
    name: 'whole',
    controllers: true,
    nodes: 2,
    tools: await loadToolPaths(),
  });
  tenant = await onboard(running, { clusterRules: everything });
  clusters = clustersFor([tenant], { changes });
});
afterAll(async () => {
  await clusters.close();
  await running.stop();
});

/** A Deployment whose pods no node takes: it stays in progress for as long as the test needs. */
function unplaced(name: string, replicas: number): JsonObject & { readonly metadata: JsonObject } {
  const containers = [{ name: 'c', image: 'example/app:unplaced' }];
  const template = { metadata: { labels: { app: name } }, spec: { nodeSelector: { nowhere: 'true' }, containers } };
  return { ...deployment(tenant.namespace, name, replicas), spec: { replicas, selector: { matchLabels: { app: name } }, template } };
}

test('a Deployment is in progress, then current, told by the watch; a change starts over', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const healthOf = async (one: Parameters<typeof apply>[1][number]) => (await cluster.health(delivery, [one], never))[0];
  const waiting = item(unplaced('web', 3), delivery);
  await cluster.live(delivery, [waiting], never);
  await apply(cluster, [waiting]);
  expect((await healthOf(waiting))?.is).toBe('inProgress');
  changes.length = 0;
  const placed = item(deployment(tenant.namespace, 'web', 3), delivery);
  const startedMs = performance.now();
  await apply(cluster, [placed]);
  await until(() => changes.some((change) => change.deliveryId === delivery));
  const healthy = await until(async () => {
    const now = await healthOf(placed);
    return now?.is === 'current' ? now : null;
  });
  process.stdout.write(`measured: a Deployment of 3 was seen healthy ${(performance.now() - startedMs).toFixed(0)} ms after its apply\n`);
  expect(healthy.message).toBe('Deployment is available. Replicas: 3');
  const before = clusters.requestsSent(tenant.access);
  await healthOf(placed);
  expect(clusters.requestsSent(tenant.access)).toBe(before);
  // Right after an apply the old state, which was current, must not count.
  await apply(cluster, [waiting]);
  expect((await healthOf(waiting))?.is).toBe('inProgress');
});

test('each kind’s rule agrees with what the real controllers write', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const pods = (name: string, more: JsonObject = {}): JsonObject => ({
    metadata: { labels: { app: name } },
    spec: { containers: [{ name: 'c', image: 'example/app:1' }], ...more },
  });
  const named = (apiVersion: string, kind: string, name: string, spec: JsonObject): JsonObject & { readonly metadata: JsonObject } => ({
    apiVersion,
    kind,
    metadata: { name, namespace: tenant.namespace },
    spec,
  });
  const items = [
    named('apps/v1', 'StatefulSet', 'sts', {
      replicas: 2,
      serviceName: 'sts',
      selector: { matchLabels: { app: 'sts' } },
      template: pods('sts'),
    }),
    named('apps/v1', 'DaemonSet', 'ds', { selector: { matchLabels: { app: 'ds' } }, template: pods('ds') }),
    named('batch/v1', 'Job', 'job', { template: pods('job', { restartPolicy: 'Never' }) }),
    named('policy/v1', 'PodDisruptionBudget', 'pdb', { minAvailable: 1, selector: { matchLabels: { app: 'sts' } } }),
    named('v1', 'Service', 'svc', { ports: [{ port: 80 }] }),
    configMap(tenant.namespace, 'cm', {}),
  ].map((manifest) => item(manifest, delivery));
  expect((await apply(cluster, items)).every((one) => one.action === 'created')).toBe(true);
  const final = await until(async () => {
    const health = await cluster.health(delivery, items, never);
    return health.every((one) => one.is === 'current') ? health : null;
  }, 40_000);
  expect(final.map((one) => one.message)).toEqual([
    // The API server sets partition 0, so kstatus' rule for partitions holds.
    'Partition rollout complete. updated: 2',
    'All replicas scheduled as expected. Replicas: 2',
    'Job Completed. succeeded: 1/1',
    'AllowedDisruptions has been computed.',
    'Service is ready',
    'Resource is current',
  ]);
});

test('an unbound PVC is in progress, a missing object is not found, an unlabelled one is asked for by itself', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const claim = item(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: tenant.namespace },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    delivery,
  );
  const missing = item(deployment(tenant.namespace, 'nobody', 1), delivery);
  const theirs = item(deployment(tenant.namespace, 'theirs', 1), null);
  await tenant.admin.must('POST', `/apis/apps/v1/namespaces/${tenant.namespace}/deployments`, theirs.manifest);
  await apply(cluster, [claim]);
  const health = await cluster.health(delivery, [claim, missing, theirs], never);
  expect(health.map((one) => one.is).slice(0, 2)).toEqual(['inProgress', 'notFound']);
  expect(health[0]?.message).toBe('PVC is not Bound. phase: Pending');
  await until(async () => (await cluster.health(delivery, [theirs], never))[0]?.is === 'current');
  expect(await cluster.holdsContent(claim.ref, never)).toBe(false);
});

test('a Deployment past its deadline has failed, a Job that failed has failed', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const stuck = deployment(tenant.namespace, 'stuck', 1);
  const pending = item(
    {
      ...stuck,
      spec: {
        replicas: 1,
        progressDeadlineSeconds: 1,
        selector: { matchLabels: { app: 'stuck' } },
        template: {
          metadata: { labels: { app: 'stuck' } },
          spec: { nodeSelector: { nowhere: 'true' }, containers: [{ name: 'c', image: 'example/app:1' }] },
        },
      },
    },
    delivery,
  );
  await apply(cluster, [pending]);
  const failed = await until(async () => {
    const [now] = await cluster.health(delivery, [pending], never);
    return now?.is === 'failed' ? now : null;
  });
  expect(failed.message).toBe('Progress deadline exceeded');
});
