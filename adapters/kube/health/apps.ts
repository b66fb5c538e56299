import { conditionOf, count, current, failed, inProgress, type Rule } from '#adapters/kube/health/verdict.ts';
import { at, textAt } from '#core/json.ts';

/** Above this, the Deployment controller sets no Progressing condition: no deadline. */
const noDeadline = 2_147_483_647;

const deployment: Rule = (object) => {
  const progress = conditionOf(object, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return failed('Progress deadline exceeded');
  const wanted = count(object, 1, 'spec', 'replicas');
  const replicas = count(object, 0, 'status', 'replicas');
  const updated = count(object, 0, 'status', 'updatedReplicas');
  const ready = count(object, 0, 'status', 'readyReplicas');
  const available = count(object, 0, 'status', 'availableReplicas');
  if (wanted > replicas) return inProgress(`Replicas: ${replicas}/${wanted}`);
  if (wanted > updated) return inProgress(`Updated: ${updated}/${wanted}`);
  if (replicas > wanted) return inProgress(`Pending termination: ${replicas - wanted}`);
  if (updated > available) return inProgress(`Available: ${available}/${updated}`);
  if (wanted > ready) return inProgress(`Ready: ${ready}/${wanted}`);
  const hasDeadline = count(object, noDeadline, 'spec', 'progressDeadlineSeconds') !== noDeadline;
  const rolledOut = progress?.status === 'True' && progress.reason === 'NewReplicaSetAvailable';
  if (hasDeadline && !rolledOut) return inProgress('ReplicaSet not Available');
  if (conditionOf(object, 'Available')?.status !== 'True') return inProgress('Deployment not Available');
  return current(`Deployment is available. Replicas: ${replicas}`);
};

const statefulSet: Rule = (object) => {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return current('StatefulSet is using the ondelete update strategy');
  const wanted = count(object, 1, 'spec', 'replicas');
  const replicas = count(object, 0, 'status', 'replicas');
  const ready = count(object, 0, 'status', 'readyReplicas');
  const updated = count(object, 0, 'status', 'updatedReplicas');
  const currentReplicas = count(object, 0, 'status', 'currentReplicas');
  const partition = count(object, -1, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  if (wanted > replicas) return inProgress(`Replicas: ${replicas}/${wanted}`);
  if (wanted > ready) return inProgress(`Ready: ${ready}/${wanted}`);
  if (replicas > wanted) return inProgress(`Pending termination: ${replicas - wanted}`);
  if (partition !== -1) {
    if (updated < wanted - partition) return inProgress(`updated: ${updated}/${wanted - partition}`);
    return current(`Partition rollout complete. updated: ${updated}`);
  }
  if (wanted > currentReplicas) return inProgress(`current: ${currentReplicas}/${wanted}`);
  if (textAt(object, 'status', 'currentRevision') !== textAt(object, 'status', 'updateRevision'))
    return inProgress('Waiting for updated revision to match current');
  return current(`All replicas scheduled as expected. Replicas: ${replicas}`);
};

const daemonSet: Rule = (object) => {
  if (at(object, 'metadata', 'generation') === undefined) return inProgress('DaemonSet metadata.generation not found');
  if (at(object, 'status', 'observedGeneration') === undefined) return inProgress('DaemonSet status.observedGeneration not found');
  const wanted = count(object, -1, 'status', 'desiredNumberScheduled');
  const scheduled = count(object, 0, 'status', 'currentNumberScheduled');
  const updated = count(object, 0, 'status', 'updatedNumberScheduled');
  const available = count(object, 0, 'status', 'numberAvailable');
  const ready = count(object, 0, 'status', 'numberReady');
  if (wanted === -1) return inProgress('Missing .status.desiredNumberScheduled');
  if (wanted > scheduled) return inProgress(`Current: ${scheduled}/${wanted}`);
  if (wanted > updated) return inProgress(`Updated: ${updated}/${wanted}`);
  if (wanted > available) return inProgress(`Available: ${available}/${wanted}`);
  if (wanted > ready) return inProgress(`Ready: ${ready}/${wanted}`);
  return current(`All replicas scheduled as expected. Replicas: ${wanted}`);
};

const replicaSet: Rule = (object) => {
  if (conditionOf(object, 'ReplicaFailure')?.status === 'True') return inProgress('Replica Failure condition. Check Pods');
  const wanted = count(object, 1, 'spec', 'replicas');
  const replicas = count(object, 0, 'status', 'replicas');
  const labelled = count(object, 0, 'status', 'fullyLabeledReplicas');
  const available = count(object, 0, 'status', 'availableReplicas');
  const ready = count(object, 0, 'status', 'readyReplicas');
  if (wanted > labelled) return inProgress(`Labelled: ${labelled}/${wanted}`);
  if (wanted > available) return inProgress(`Available: ${available}/${wanted}`);
  if (wanted > ready) return inProgress(`Ready: ${ready}/${wanted}`);
  if (replicas > wanted) return inProgress(`Pending termination: ${replicas - wanted}`);
  return current(`ReplicaSet is available. Replicas: ${replicas}`);
};

export const apps: Readonly<Record<string, Rule>> = Object.freeze({
  Deployment: deployment,
  StatefulSet: statefulSet,
  DaemonSet: daemonSet,
  ReplicaSet: replicaSet,
});
