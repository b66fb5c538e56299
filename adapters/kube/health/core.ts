import { conditionOf, current, failed, inProgress, type Rule } from '#adapters/kube/health/verdict.ts';
import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import { parseRfc3339 } from '#core/time.ts';

/** How long a pod may be unschedulable before it counts as failed. */
const scheduleWindowMs = 15_000;

const pod: Rule = (object, nowMs) => {
  const phase = textAt(object, 'status', 'phase') ?? '';
  if (phase === 'Succeeded') return current('Pod has completed successfully');
  // Flux's own reader says failed here, where kstatus says current.
  if (phase === 'Failed') return failed('Pod has completed, but not successfully');
  if (phase === 'Running') return runningPod(object);
  if (phase === 'Pending') return pendingPod(object, nowMs);
  return inProgress('Pod phase not available');
};

function runningPod(object: JsonObject): ReturnType<Rule> {
  if (conditionOf(object, 'Ready')?.status === 'True') return current('Pod is Ready');
  const statuses = at(object, 'status', 'containerStatuses');
  const crashing = (Array.isArray(statuses) ? statuses : [])
    .filter((one: Json) => textAt(one, 'state', 'waiting', 'reason') === 'CrashLoopBackOff')
    .map((one: Json) => textAt(one, 'name') ?? '');
  if (crashing.length > 0) return failed(`Containers in CrashLoop state: ${crashing.join(',')}`);
  return inProgress('Pod is running but is not Ready');
}

function pendingPod(object: JsonObject, nowMs: number): ReturnType<Rule> {
  const scheduled = conditionOf(object, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return inProgress('Pod is in the Pending phase');
  const createdMs = parseRfc3339(textAt(object, 'metadata', 'creationTimestamp') ?? '') ?? nowMs;
  return nowMs - createdMs < scheduleWindowMs ? inProgress('Pod has not been scheduled') : failed('Pod could not be scheduled');
}

const persistentVolumeClaim: Rule = (object) => {
  const phase = textAt(object, 'status', 'phase') ?? 'unknown';
  return phase === 'Bound' ? current('PVC is Bound') : inProgress(`PVC is not Bound. phase: ${phase}`);
};

const service: Rule = (object) => {
  const balanced = textAt(object, 'spec', 'type') === 'LoadBalancer';
  if (balanced && (textAt(object, 'spec', 'clusterIP') ?? '') === '') return inProgress('ClusterIP not set. Service type: LoadBalancer');
  return current('Service is ready');
};

const namespace: Rule = (object) => {
  const phase = textAt(object, 'status', 'phase') ?? 'without a phase';
  return phase === 'Active' || !isObject(object['status'])
    ? current('Resource is current')
    : inProgress(`Namespace is ${phase.slice(0, 40)}`);
};

export const core: Readonly<Record<string, Rule>> = Object.freeze({
  Pod: pod,
  PersistentVolumeClaim: persistentVolumeClaim,
  Service: service,
  Namespace: namespace,
});
