import { expect, test } from 'vitest';
import { isCurrentByExisting, judgeHealth } from '#adapters/kube/health/judge.ts';
import type { JsonObject } from '#core/json.ts';

const nowMs = Date.parse('2026-01-01T00:10:00Z');
const condition = (type: string, status: string, reason = '', message = ''): JsonObject => ({ type, status, reason, message });
const rolledOut = [condition('Progressing', 'True', 'NewReplicaSetAvailable'), condition('Available', 'True')];
const full = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, conditions: rolledOut };
const sts = { replicas: 2, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 2, currentRevision: 'a', updateRevision: 'a' };
const ds = {
  observedGeneration: 1,
  desiredNumberScheduled: 2,
  currentNumberScheduled: 2,
  updatedNumberScheduled: 2,
  numberAvailable: 2,
  numberReady: 2,
};

type Row = readonly [what: string, apiVersion: string, kind: string, object: JsonObject, is: string, message: RegExp];

/** Semantics of kstatus, row by row (`kubernetes-sigs/cli-utils` pkg/kstatus/status). */
const rows: readonly Row[] = [
  ['deletion', 'v1', 'ConfigMap', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'inProgress', /deletion/],
  [
    'generation not observed',
    'example.com/v1',
    'Widget',
    { metadata: { generation: 3 }, status: { observedGeneration: 2, conditions: [condition('Ready', 'True')] } },
    'inProgress',
    /generation is 3, but latest observed generation is 2/,
  ],
  [
    'Reconciling',
    'kustomize.toolkit.fluxcd.io/v1',
    'Kustomization',
    { status: { conditions: [condition('Ready', 'Unknown'), condition('Reconciling', 'True', 'Progressing', 'building')] } },
    'inProgress',
    /^building$/,
  ],
  [
    'Stalled',
    'helm.toolkit.fluxcd.io/v2',
    'HelmRelease',
    { status: { conditions: [condition('Stalled', 'True', 'RetriesExceeded', 'no more tries')] } },
    'failed',
    /^no more tries$/,
  ],
  [
    'Stalled False',
    'helm.toolkit.fluxcd.io/v2',
    'HelmRelease',
    { status: { conditions: [condition('Stalled', 'False'), condition('Ready', 'True')] } },
    'current',
    /Ready/,
  ],
  [
    'Ready False',
    'source.toolkit.fluxcd.io/v1',
    'GitRepository',
    { status: { conditions: [condition('Ready', 'False', 'x', 'no such branch')] } },
    'inProgress',
    /^no such branch$/,
  ],
  ['Ready Unknown', 'example.com/v1', 'Widget', { status: { conditions: [condition('Ready', 'Unknown')] } }, 'inProgress', /Unknown/],
  ['no conditions', 'example.com/v1', 'Widget', {}, 'current', /current/],
  ['other conditions only', 'example.com/v1', 'Widget', { status: { conditions: [condition('Synced', 'False')] } }, 'current', /current/],
  ['conditions that are none', 'example.com/v1', 'Widget', { status: { conditions: 'Ready' } }, 'current', /current/],

  ['Deployment without status', 'apps/v1', 'Deployment', { spec: { replicas: 2 } }, 'inProgress', /Replicas: 0\/2/],
  [
    'Deployment not updated',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { ...full, updatedReplicas: 1 } },
    'inProgress',
    /Updated: 1\/2/,
  ],
  [
    'Deployment with old pods',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { ...full, replicas: 3 } },
    'inProgress',
    /Pending termination: 1/,
  ],
  [
    'Deployment not available',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { ...full, availableReplicas: 1 } },
    'inProgress',
    /Available: 1\/2/,
  ],
  [
    'Deployment not ready',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { ...full, readyReplicas: 1 } },
    'inProgress',
    /Ready: 1\/2/,
  ],
  [
    'Deployment rolling',
    'apps/v1',
    'Deployment',
    {
      spec: { replicas: 2, progressDeadlineSeconds: 600 },
      status: { ...full, conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated'), condition('Available', 'True')] },
    },
    'inProgress',
    /ReplicaSet not Available/,
  ],
  [
    'Deployment without deadline',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { ...full, conditions: [condition('Available', 'True')] } },
    'current',
    /Replicas: 2/,
  ],
  [
    'Deployment past its deadline',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { ...full, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] } },
    'failed',
    /deadline/,
  ],
  [
    'Deployment done',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2, progressDeadlineSeconds: 600 }, status: full },
    'current',
    /available. Replicas: 2/,
  ],
  [
    'Deployment of none',
    'apps/v1',
    'Deployment',
    { spec: { replicas: 0, progressDeadlineSeconds: 600 }, status: { conditions: rolledOut } },
    'current',
    /Replicas: 0/,
  ],

  [
    'StatefulSet OnDelete',
    'apps/v1',
    'StatefulSet',
    { spec: { replicas: 2, updateStrategy: { type: 'OnDelete' } } },
    'current',
    /ondelete/,
  ],
  ['StatefulSet few', 'apps/v1', 'StatefulSet', { spec: { replicas: 2 }, status: { ...sts, replicas: 1 } }, 'inProgress', /Replicas: 1\/2/],
  [
    'StatefulSet not ready',
    'apps/v1',
    'StatefulSet',
    { spec: { replicas: 2 }, status: { ...sts, readyReplicas: 1 } },
    'inProgress',
    /Ready: 1\/2/,
  ],
  [
    'StatefulSet too many',
    'apps/v1',
    'StatefulSet',
    { spec: { replicas: 2 }, status: { ...sts, replicas: 3 } },
    'inProgress',
    /termination: 1/,
  ],
  [
    'StatefulSet partition',
    'apps/v1',
    'StatefulSet',
    { spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } }, status: { ...sts, updatedReplicas: 0 } },
    'inProgress',
    /updated: 0\/1/,
  ],
  [
    'StatefulSet partition done',
    'apps/v1',
    'StatefulSet',
    { spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } }, status: { ...sts, updatedReplicas: 1 } },
    'current',
    /Partition/,
  ],
  [
    'StatefulSet current',
    'apps/v1',
    'StatefulSet',
    { spec: { replicas: 2 }, status: { ...sts, currentReplicas: 1 } },
    'inProgress',
    /current: 1\/2/,
  ],
  [
    'StatefulSet revisions',
    'apps/v1',
    'StatefulSet',
    { spec: { replicas: 2 }, status: { ...sts, updateRevision: 'b' } },
    'inProgress',
    /revision/,
  ],
  ['StatefulSet done', 'apps/v1', 'StatefulSet', { spec: { replicas: 2 }, status: sts }, 'current', /Replicas: 2/],

  ['DaemonSet not observed', 'apps/v1', 'DaemonSet', { metadata: { generation: 1 } }, 'inProgress', /observedGeneration not found/],
  ['DaemonSet without generation', 'apps/v1', 'DaemonSet', { status: ds }, 'inProgress', /generation not found/],
  [
    'DaemonSet nothing wanted yet',
    'apps/v1',
    'DaemonSet',
    { metadata: { generation: 1 }, status: { observedGeneration: 1 } },
    'inProgress',
    /desiredNumberScheduled/,
  ],
  [
    'DaemonSet updating',
    'apps/v1',
    'DaemonSet',
    { metadata: { generation: 1 }, status: { ...ds, updatedNumberScheduled: 1 } },
    'inProgress',
    /Updated: 1\/2/,
  ],
  [
    'DaemonSet not ready',
    'apps/v1',
    'DaemonSet',
    { metadata: { generation: 1 }, status: { ...ds, numberReady: 0 } },
    'inProgress',
    /Ready: 0\/2/,
  ],
  ['DaemonSet done', 'apps/v1', 'DaemonSet', { metadata: { generation: 1 }, status: ds }, 'current', /Replicas: 2/],

  [
    'ReplicaSet failure',
    'apps/v1',
    'ReplicaSet',
    { status: { conditions: [condition('ReplicaFailure', 'True')] } },
    'inProgress',
    /Failure/,
  ],
  [
    'ReplicaSet done',
    'apps/v1',
    'ReplicaSet',
    { status: { replicas: 1, readyReplicas: 1, availableReplicas: 1, fullyLabeledReplicas: 1 } },
    'current',
    /Replicas: 1/,
  ],

  ['Pod not seen', 'v1', 'Pod', {}, 'inProgress', /phase/],
  ['Pod pending', 'v1', 'Pod', { status: { phase: 'Pending' } }, 'inProgress', /Pending/],
  [
    'Pod unschedulable for a moment',
    'v1',
    'Pod',
    {
      metadata: { creationTimestamp: '2026-01-01T00:09:50Z' },
      status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] },
    },
    'inProgress',
    /not been scheduled/,
  ],
  [
    'Pod unschedulable',
    'v1',
    'Pod',
    {
      metadata: { creationTimestamp: '2026-01-01T00:09:00Z' },
      status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] },
    },
    'failed',
    /could not be scheduled/,
  ],
  ['Pod not ready', 'v1', 'Pod', { status: { phase: 'Running' } }, 'inProgress', /not Ready/],
  [
    'Pod crashing',
    'v1',
    'Pod',
    { status: { phase: 'Running', containerStatuses: [{ name: 'c', state: { waiting: { reason: 'CrashLoopBackOff' } } }] } },
    'failed',
    /CrashLoop state: c/,
  ],
  ['Pod ready', 'v1', 'Pod', { status: { phase: 'Running', conditions: [condition('Ready', 'True')] } }, 'current', /Ready/],
  ['Pod done', 'v1', 'Pod', { status: { phase: 'Succeeded' } }, 'current', /success/],
  ['Pod failed', 'v1', 'Pod', { status: { phase: 'Failed' } }, 'failed', /not successfully/],

  ['PVC pending', 'v1', 'PersistentVolumeClaim', { status: { phase: 'Pending' } }, 'inProgress', /Pending/],
  ['PVC bound', 'v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }, 'current', /Bound/],
  ['Service', 'v1', 'Service', { spec: { type: 'ClusterIP' } }, 'current', /ready/],
  ['LoadBalancer without address', 'v1', 'Service', { spec: { type: 'LoadBalancer' } }, 'inProgress', /ClusterIP not set/],
  ['LoadBalancer', 'v1', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.9' } }, 'current', /ready/],
  ['Namespace active', 'v1', 'Namespace', { status: { phase: 'Active' } }, 'current', /current/],
  ['Namespace ending', 'v1', 'Namespace', { status: { phase: 'Terminating' } }, 'inProgress', /Terminating/],

  ['Job not started', 'batch/v1', 'Job', {}, 'inProgress', /not started/],
  ['Job running', 'batch/v1', 'Job', { status: { startTime: '2026-01-01T00:00:00Z', active: 1 } }, 'inProgress', /active: 1/],
  [
    'Job complete',
    'batch/v1',
    'Job',
    { spec: { completions: 2 }, status: { succeeded: 2, conditions: [condition('Complete', 'True')] } },
    'current',
    /2\/2/,
  ],
  ['Job failed', 'batch/v1', 'Job', { status: { failed: 1, conditions: [condition('Failed', 'True')] } }, 'failed', /failed: 1\/1/],
  ['Job suspended', 'batch/v1', 'Job', { status: { conditions: [condition('Suspended', 'True')] } }, 'current', /suspended/],
  ['CronJob', 'batch/v1', 'CronJob', {}, 'current', /ready/],
  [
    'PodDisruptionBudget',
    'policy/v1',
    'PodDisruptionBudget',
    { status: { observedGeneration: 1 }, metadata: { generation: 1 } },
    'current',
    /AllowedDisruptions/,
  ],
  [
    'PodDisruptionBudget that can’t sync',
    'policy/v1',
    'PodDisruptionBudget',
    { status: { conditions: [condition('DisruptionAllowed', 'False', 'SyncFailed', 'no scale')] } },
    'inProgress',
    /no scale/,
  ],
  [
    'HorizontalPodAutoscaler',
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    { status: { conditions: [condition('ScalingActive', 'False')] } },
    'current',
    /current/,
  ],
  [
    'CRD installing',
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    { status: { conditions: [condition('Established', 'False', 'Installing')] } },
    'inProgress',
    /Install/,
  ],
  [
    'CRD names taken',
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    { status: { conditions: [condition('NamesAccepted', 'False', 'ListKindConflict', 'in use')] } },
    'failed',
    /in use/,
  ],
  [
    'CRD established',
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    { status: { conditions: [condition('Established', 'True')] } },
    'current',
    /established/,
  ],
  // A kind of the same name in another group has no rule of ours.
  ['foreign Deployment', 'example.com/v1', 'Deployment', { spec: { replicas: 5 } }, 'current', /current/],
];

test.each(rows)('%s', (_what, apiVersion, kind, object, is, message) => {
  const verdict = judgeHealth(apiVersion, kind, object, nowMs);
  expect(verdict.is).toBe(is);
  expect(verdict.message).toMatch(message);
});

test('a hostile status is data: long messages are cut, odd types are no numbers', () => {
  expect(
    judgeHealth('example.com/v1', 'Widget', { status: { conditions: [condition('Stalled', 'True', '', 'x'.repeat(10_000))] } }, nowMs)
      .message.length,
  ).toBe(512);
  expect(
    judgeHealth('apps/v1', 'Deployment', { spec: { replicas: 1 }, status: { replicas: '9', conditions: [null, 7, []] } }, nowMs).is,
  ).toBe('inProgress');
});

test('kinds that are current by existing have no rule that says otherwise', () => {
  expect(isCurrentByExisting('v1', 'ConfigMap')).toBe(true);
  expect(isCurrentByExisting('apps/v1', 'Deployment')).toBe(false);
  expect(isCurrentByExisting('example.com/v1', 'ConfigMap')).toBe(false);
});
