import { apiextensions } from '#adapters/kube/health/apiextensions.ts';
import { apps } from '#adapters/kube/health/apps.ts';
import { autoscaling } from '#adapters/kube/health/autoscaling.ts';
import { batch } from '#adapters/kube/health/batch.ts';
import { core } from '#adapters/kube/health/core.ts';
import { policy } from '#adapters/kube/health/policy.ts';
import { conditionOf, current, failed, inProgress, type Rule, type Verdict } from '#adapters/kube/health/verdict.ts';
import { splitApiVersion } from '#adapters/kube/paths.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';

/** Rules by API group and kind. */
const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = Object.freeze({
  '': core,
  apps,
  batch,
  policy,
  autoscaling,
  'apiextensions.k8s.io': apiextensions,
});

/** Kinds that are current as soon as they exist: their metadata is enough. What is not listed is looked at as a whole. */
const existing: Readonly<Record<string, readonly string[]>> = Object.freeze({
  '': ['ConfigMap', 'Secret', 'ServiceAccount', 'ResourceQuota', 'LimitRange'],
  'rbac.authorization.k8s.io': ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding'],
  'networking.k8s.io': ['NetworkPolicy', 'IngressClass'],
  'admissionregistration.k8s.io': ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'],
  'storage.k8s.io': ['StorageClass'],
  'scheduling.k8s.io': ['PriorityClass'],
  batch: ['CronJob'],
});

/** True when being there is all there is to the health of this kind. Pure. */
export function isCurrentByExisting(apiVersion: string, kind: string): boolean {
  return existing[splitApiVersion(apiVersion).group]?.includes(kind) ?? false;
}

/**
 * Health of a whole live object, by the rules of kstatus: deletion, observed generation, the conditions Stalled and Reconciling, then the rule of its
 * kind, else its Ready condition, else it is current. Pure.
 */
export function judgeHealth(apiVersion: string, kind: string, object: JsonObject, nowMs: number): Verdict {
  if ((textAt(object, 'metadata', 'deletionTimestamp') ?? '') !== '') return inProgress('Resource scheduled for deletion');
  const generic = byGeneration(kind, object) ?? byStandardConditions(object);
  if (generic !== null) return generic;
  const own = rules[splitApiVersion(apiVersion).group];
  const rule = own !== undefined && Object.hasOwn(own, kind) ? own[kind] : undefined;
  return rule === undefined ? byReady(object) : rule(object, nowMs);
}

function byGeneration(kind: string, object: JsonObject): Verdict | null {
  const generation = at(object, 'metadata', 'generation');
  const observed = at(object, 'status', 'observedGeneration');
  if (typeof generation !== 'number' || observed === undefined || observed === generation) return null;
  return inProgress(
    `${kind} generation is ${generation}, but latest observed generation is ${typeof observed === 'number' ? observed : 'no number'}`,
  );
}

/** Abnormal-true conditions: whoever sets them decides (kstatus; all of Flux's kinds do). */
function byStandardConditions(object: JsonObject): Verdict | null {
  const reconciling = conditionOf(object, 'Reconciling');
  if (reconciling?.status === 'True') return inProgress(reconciling.message);
  const stalled = conditionOf(object, 'Stalled');
  return stalled?.status === 'True' ? failed(stalled.message) : null;
}

function byReady(object: JsonObject): Verdict {
  const ready = conditionOf(object, 'Ready');
  if (ready === null) return current('Resource is current');
  if (ready.status === 'True') return current('Resource is Ready');
  return inProgress(ready.message === '' ? `Ready is ${ready.status}` : ready.message);
}
