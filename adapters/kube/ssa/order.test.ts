import { expect, test } from 'vitest';
import { inStages, rankOf, stageOf } from '#adapters/kube/ssa/order.ts';

const item = (apiVersion: string, kind: string, name = 'a') => ({ ref: { apiVersion, kind, namespace: 'n', name } });

test('stages are definitions, classes, the rest, webhooks; inside one the order of definitions.md 3.3', () => {
  const shuffled = [
    item('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
    item('apps/v1', 'Deployment'),
    item('v1', 'Secret'),
    item('example.com/v1', 'Widget'),
    item('v1', 'ConfigMap', 'b'),
    item('v1', 'ConfigMap', 'a'),
    item('storage.k8s.io/v1', 'StorageClass'),
    item('rbac.authorization.k8s.io/v1', 'RoleBinding'),
    item('rbac.authorization.k8s.io/v1', 'Role'),
    item('v1', 'ServiceAccount'),
    item('rbac.authorization.k8s.io/v1', 'ClusterRole'),
    item('v1', 'Namespace'),
    item('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    item('policy/v1', 'PodDisruptionBudget'),
    item('batch/v1', 'CronJob'),
    item('apps/v1', 'StatefulSet'),
    item('v1', 'LimitRange'),
    item('v1', 'Service'),
    item('v1', 'ResourceQuota'),
    item('rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'),
  ];
  const staged = inStages(shuffled).map((one) => [
    one.stage,
    one.items.map((each) => (each.ref.kind === 'ConfigMap' ? `ConfigMap ${each.ref.name}` : each.ref.kind)),
  ]);
  expect(staged).toEqual([
    ['definitions', ['CustomResourceDefinition', 'Namespace', 'ClusterRole']],
    ['classes', ['StorageClass']],
    [
      'rest',
      [
        'ClusterRoleBinding',
        'ResourceQuota',
        'ServiceAccount',
        'Role',
        'RoleBinding',
        'ConfigMap a',
        'ConfigMap b',
        'Secret',
        'Service',
        'LimitRange',
        'Deployment',
        'StatefulSet',
        'CronJob',
        'PodDisruptionBudget',
        'Widget',
      ],
    ],
    ['webhooks', ['MutatingWebhookConfiguration']],
  ]);
});

test('a kind of another group with a known name is none of ours', () => {
  expect(stageOf('example.com/v1', 'Namespace')).toBe('rest');
  expect(rankOf('example.com/v1', 'Secret')).toBe(rankOf('example.com/v1', 'Widget'));
  expect(stageOf('example.com/v1', 'MutatingWebhookConfiguration')).toBe('rest');
});
