import { expect, test } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import { problemsOf } from './cluster-check.ts';

function cluster(status: 'True' | 'False' | 'Unknown', reason: string, accounts: readonly JsonObject[] = []): JsonObject {
  return {
    kind: 'Cluster',
    metadata: { name: 'east', generation: 1 },
    status: { conditions: [{ type: 'Ready', status, reason, message: 'why' }], accounts },
  };
}

test.each([
  [cluster('True', 'Succeeded'), []],
  [cluster('False', 'ClusterRefused'), ['ClusterRefused: why; next: weir cluster onboard --name east, with a kubeconfig of that cluster']],
  [
    cluster('False', 'ClusterUnreachable'),
    ['ClusterUnreachable: why; next: see that the API server answers at spec.server from where the plane runs'],
  ],
  [cluster('False', 'ClusterPaused'), ['ClusterPaused: why; next: weir resume cluster east -n weir-system']],
  [{ kind: 'Cluster' }, ['no worker has looked at it yet; next: weir cluster check east in a minute']],
])('each state has its own next step', (object, problems) => {
  expect(problemsOf(object, 'east', 'weir-system')).toEqual(problems);
});

test('every missing right of every account is told at once', () => {
  const accounts = [
    { tenant: 'team-a', account: 'weir-system/tenant-team-a', missing: ['create namespaces', 'patch deployments.apps in apps-a'] },
    { tenant: 'team-b', account: 'weir-system/tenant-team-b', missing: [] },
    { tenant: 'team-c', account: 'weir-system/tenant-team-c', missing: ['get secrets in apps-c'] },
  ];
  expect(problemsOf(cluster('True', 'Succeeded', accounts), 'east', 'weir-system')).toEqual([
    expect.stringContaining('tenant team-a lacks: create namespaces; patch deployments.apps in apps-a'),
    expect.stringContaining('tenant team-c lacks: get secrets in apps-c'),
  ]);
});
