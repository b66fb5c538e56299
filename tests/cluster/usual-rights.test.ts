import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { clustersFor, never, onboard } from '#tests/cluster/tenant.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');
let running: RunningCluster;
beforeAll(async () => {
  running = await startCluster(children, {
    dir: `${dir()}/rights`,
    name: 'rights',
    controllers: true,
    nodes: 1,
    tools: await loadToolPaths(),
  });
});
afterAll(() => running.stop());

test('ClusterRole admin gives all that the preflight asks for, and the message says what it does not give', async () => {
  const tenant = await onboard(running, { rules: [] });
  await tenant.admin.must('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${tenant.namespace}/rolebindings`, {
    metadata: { name: 'weir-admin' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
    subjects: [{ kind: 'ServiceAccount', ...tenant.account }],
  });
  const clusters = clustersFor([tenant]);
  try {
    const result = await clusters.care({ scope: tenant.scope, access: tenant.access }).preflight(tenant.account, [tenant.namespace], never);
    expect(result.missing).toEqual([]);
    expect(result.message).toBe(
      `${tenant.user} has the usual rights in ${tenant.namespace}. It can’t create resourcequotas in ${tenant.namespace}, limitranges in ${tenant.namespace}, namespaces`,
    );
  } finally {
    await clusters.close();
  }
});
