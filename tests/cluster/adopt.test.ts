import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clusters } from '#adapters/kube/clusters.ts';
import type { JsonObject } from '#core/json.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { apply, bindFor, clustersFor, deployment, field, item, never, onboard, type Tenant } from '#tests/cluster/tenant.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type SharedCluster, testCluster } from '#tests/harness/parts.ts';

let shared: SharedCluster;
let tenant: Tenant;
let clusters: Clusters;
let kubectlPath: string;
const dir = useTemporaryDir('file');

beforeAll(async () => {
  kubectlPath = (await loadToolPaths({ only: ['kubectl'] })).kubectl;
  shared = await testCluster();
  tenant = await onboard(shared);
  clusters = clustersFor([tenant]);
});
afterAll(() => clusters.close());

async function kubectl(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(kubectlPath, ['--kubeconfig', shared.adminKubeconfigPath, '-n', tenant.namespace, ...args], {
    env: { HOME: dir() },
    timeout: 30_000,
  });
}
async function file(manifest: JsonObject): Promise<string> {
  const path = join(dir(), `${randomUUID()}.json`);
  await writeFile(path, JSON.stringify(manifest));
  return path;
}
function managers(live: JsonObject | null): readonly string[] {
  const entries = field(field(live, 'metadata'), 'managedFields');
  return Array.isArray(entries)
    ? entries.map((entry) => `${String(field(entry, 'manager'))}/${String(field(entry, 'operation'))}`).toSorted()
    : [];
}
const annotationsOf = (live: JsonObject | null): unknown => field(field(live, 'metadata'), 'annotations');
/** A Deployment restarts when this changes. Its generation also counts annotations, and kubectl's goes. */
const podsOf = (live: JsonObject | null): unknown => field(field(live, 'spec'), 'template');

test('an object of `kubectl apply` is taken over: its fields are ours, nothing restarts, what is not desired goes', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const manifest = deployment(tenant.namespace, 'adopted', 2);
  await kubectl('apply', '-f', await file({ ...manifest, metadata: { ...manifest.metadata, labels: { old: 'yes' } } }));
  const one = item(manifest, delivery);
  const before = await cluster.read(one.ref, never);
  expect(managers(before)).toEqual(['kubectl-client-side-apply/Update']);
  expect((await apply(cluster, [one])).map((result) => result.action)).toEqual(['configured']);
  const after = await cluster.read(one.ref, never);
  expect(managers(after)).toEqual(['weir/Apply']);
  expect(podsOf(after)).toEqual(podsOf(before));
  expect(field(field(after, 'metadata'), 'labels')).toEqual({ 'weir.dev/delivery': delivery });
  expect(annotationsOf(after)).toBe(undefined);
  expect((await apply(cluster, [one])).map((result) => result.action)).toEqual(['unchanged']);
});

test('an object of Flux is taken over in the same way', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const manifest = deployment(tenant.namespace, 'from-flux', 1);
  const path = `/apis/apps/v1/namespaces/${tenant.namespace}/deployments/from-flux?fieldManager=kustomize-controller&force=true`;
  await tenant.admin.must(
    'PATCH',
    path,
    { ...manifest, metadata: { ...manifest.metadata, labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } } },
    'application/apply-patch+yaml',
  );
  const one = item(manifest, delivery);
  const before = await cluster.read(one.ref, never);
  await apply(cluster, [one]);
  const after = await cluster.read(one.ref, never);
  expect(managers(after)).toEqual(['weir/Apply']);
  expect(podsOf(after)).toEqual(podsOf(before));
  expect(field(field(after, 'metadata'), 'labels')).toEqual({ 'weir.dev/delivery': delivery });
});

test('what somebody added with kubectl is taken back; under Merge it stays', async () => {
  for (const mode of ['Override', 'Merge'] as const) {
    const delivery = randomUUID();
    const cluster = bindFor(clusters, tenant, delivery);
    const name = `edited-${mode.toLowerCase()}`;
    const one = item(deployment(tenant.namespace, name, 1), delivery, { mode });
    await apply(cluster, [one]);
    await kubectl('annotate', 'deployment', name, 'by-hand=yes');
    await kubectl('scale', 'deployment', name, '--replicas=4');
    expect((await apply(cluster, [one])).map((result) => result.action)).toEqual(['configured']);
    const live = await cluster.read(one.ref, never);
    expect(field(annotationsOf(live), 'by-hand')).toBe(mode === 'Override' ? undefined : 'yes');
    expect(field(field(live, 'spec'), 'replicas')).toBe(1);
  }
});

test('fields of `flux-client-side-apply` and of other controllers stay', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const one = item(deployment(tenant.namespace, 'shared', 1), delivery);
  await apply(cluster, [one]);
  for (const manager of ['flux-client-side-apply', 'some-operator']) {
    const path = `/apis/apps/v1/namespaces/${tenant.namespace}/deployments/shared?fieldManager=${manager}`;
    await tenant.admin.must('PATCH', path, { metadata: { annotations: { [manager]: 'mine' } } }, 'application/merge-patch+json');
  }
  expect((await apply(cluster, [one])).map((result) => result.action)).toEqual(['unchanged']);
  expect(annotationsOf(await cluster.read(one.ref, never))).toEqual({ 'flux-client-side-apply': 'mine', 'some-operator': 'mine' });
});

test('`differs` sees edits, added kubectl fields and lost ownership, and nothing else', async () => {
  const delivery = randomUUID();
  const cluster = bindFor(clusters, tenant, delivery);
  const one = item(deployment(tenant.namespace, 'differs', 1), delivery);
  expect(await cluster.differs(one, never)).toBe(true);
  await apply(cluster, [one]);
  expect(await cluster.differs(one, never)).toBe(false);
  const fenced = {
    ...one,
    manifest: {
      ...one.manifest,
      metadata: {
        ...deployment(tenant.namespace, 'differs', 1).metadata,
        labels: { 'weir.dev/delivery': delivery },
        annotations: { 'weir.dev/fence': '7' },
      },
    },
  };
  expect(await cluster.differs(fenced, never)).toBe(false);
  const path = `/apis/apps/v1/namespaces/${tenant.namespace}/deployments/differs`;
  await tenant.admin.must(
    'PATCH',
    `${path}?fieldManager=other`,
    { metadata: { annotations: { theirs: 'x' } } },
    'application/merge-patch+json',
  );
  expect(await cluster.differs(one, never)).toBe(false);
  await tenant.admin.must('PATCH', `${path}?fieldManager=other`, { spec: { replicas: 3 } }, 'application/merge-patch+json');
  expect(await cluster.differs(one, never)).toBe(true);
  await apply(cluster, [one]);
  await tenant.admin.must('PATCH', path, [{ op: 'replace', path: '/metadata/managedFields', value: [{}] }], 'application/json-patch+json');
  expect(await cluster.differs(one, never)).toBe(true);
});
