/**
 * What kwok does with fake nodes and their pods, as its Stage configuration (kwok.x-k8s.io/v1alpha1): the least with which a cluster
 * looks alive. A node becomes Ready once and is kept alive by its lease; a pod runs as soon as it is placed, a Job's pod then succeeds;
 * a pod that is to go is gone.
 */
export function kwokStages(): string {
  return [nodeReady, podRunning, podSucceeded, podGone].map((stage) => JSON.stringify(stage)).join('\n---\n');
}

type StageSpec = Readonly<Record<string, unknown>>;

function stage(name: string, kind: 'Node' | 'Pod', spec: StageSpec): Readonly<Record<string, unknown>> {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { apiGroup: 'v1', kind }, ...spec },
  };
}

function condition(type: string, status: 'True' | 'False', reason: string): string {
  return [
    `- type: ${type}`,
    `  status: "${status}"`,
    `  reason: ${reason}`,
    '  lastHeartbeatTime: {{ $now | Quote }}',
    '  lastTransitionTime: {{ $now | Quote }}',
  ].join('\n');
}

function podCondition(type: string, status: 'True' | 'False' = 'True'): string {
  return `- {type: ${type}, status: "${status}", lastTransitionTime: {{ $now | Quote }}}`;
}

const isLeaving = { key: '.metadata.deletionTimestamp', operator: 'Exists' };
const isStaying = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const ownedByJob = '.metadata.ownerReferences.[] | select( .kind == "Job" ) | .kind';

const nodeReady = stage('node-ready', 'Node', {
  selector: {
    matchExpressions: [
      isStaying,
      { key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: 'NotIn', values: ['True'] },
    ],
  },
  next: {
    statusTemplate: [
      '{{ $now := Now }}',
      'phase: Running',
      'conditions:',
      condition('Ready', 'True', 'KubeletReady'),
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
      condition('NetworkUnavailable', 'False', 'RouteCreated'),
    ].join('\n'),
  },
});

const podRunning = stage('pod-running', 'Pod', {
  selector: { matchExpressions: [isStaying, { key: '.status.phase', operator: 'In', values: ['Pending'] }] },
  next: {
    statusTemplate: [
      '{{ $now := Now }}',
      'phase: Running',
      'startTime: {{ $now | Quote }}',
      'conditions:',
      podCondition('PodReadyToStartContainers'),
      podCondition('Initialized'),
      podCondition('ContainersReady'),
      podCondition('Ready'),
      '{{ range .spec.readinessGates }}',
      '- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}',
      '{{ end }}',
      'containerStatuses:',
      '{{ range .spec.containers }}',
      '- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: true, started: true, restartCount: 0, state: {running: {startedAt: {{ $now | Quote }}}}}',
      '{{ end }}',
      'initContainerStatuses:',
      '{{ range .spec.initContainers }}',
      '- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: true, restartCount: 0, state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}}',
      '{{ end }}',
      'hostIP: {{ NodeIPWith .spec.nodeName | Quote }}',
      'podIP: {{ PodIPWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}',
    ].join('\n'),
  },
});

const podSucceeded = stage('pod-succeeded', 'Pod', {
  selector: {
    matchExpressions: [
      isStaying,
      { key: '.status.phase', operator: 'In', values: ['Running'] },
      { key: ownedByJob, operator: 'In', values: ['Job'] },
    ],
  },
  delay: { durationMilliseconds: 200 },
  next: {
    statusTemplate: [
      '{{ $now := Now }}',
      'phase: Succeeded',
      'conditions:',
      podCondition('ContainersReady', 'False'),
      podCondition('Ready', 'False'),
      'containerStatuses:',
      '{{ range .spec.containers }}',
      '- {name: {{ .name | Quote }}, image: {{ .image | Quote }}, imageID: "", ready: false, started: false, restartCount: 0, state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}}',
      '{{ end }}',
    ].join('\n'),
  },
});

const podGone = stage('pod-gone', 'Pod', {
  selector: { matchExpressions: [isLeaving] },
  next: { finalizers: { empty: true }, delete: true },
});
