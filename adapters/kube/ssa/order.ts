import { splitApiVersion } from '#adapters/kube/paths.ts';

/**
 * Order of applying (definitions.md 3.3, the order of Flux's `fluxcd/pkg` ssa). A stage starts when the one before it is done and established;
 * inside a stage this is the order of starting, and requests overlap.
 */
export type Stage = 'definitions' | 'classes' | 'rest' | 'webhooks';
export const stages: readonly Stage[] = Object.freeze(['definitions', 'classes', 'rest', 'webhooks']);

type Place = Readonly<{ group: string; kind: string; stage: Stage }>;

/** First to last. What is not named here comes after all of these and before the webhooks. */
const places: readonly Place[] = Object.freeze([
  { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition', stage: 'definitions' },
  { group: '', kind: 'Namespace', stage: 'definitions' },
  { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole', stage: 'definitions' },
  // Any group: StorageClass, IngressClass, PriorityClass, GatewayClass, RuntimeClass.
  { group: '*', kind: '*Class', stage: 'classes' },
  { group: 'rbac.authorization.k8s.io', kind: 'ClusterRoleBinding', stage: 'rest' },
  { group: '', kind: 'ResourceQuota', stage: 'rest' },
  { group: '', kind: 'ServiceAccount', stage: 'rest' },
  { group: 'rbac.authorization.k8s.io', kind: 'Role', stage: 'rest' },
  { group: 'rbac.authorization.k8s.io', kind: 'RoleBinding', stage: 'rest' },
  { group: '', kind: 'ConfigMap', stage: 'rest' },
  { group: '', kind: 'Secret', stage: 'rest' },
  { group: '', kind: 'Service', stage: 'rest' },
  { group: '', kind: 'LimitRange', stage: 'rest' },
  { group: 'apps', kind: 'Deployment', stage: 'rest' },
  { group: 'apps', kind: 'StatefulSet', stage: 'rest' },
  { group: 'batch', kind: 'CronJob', stage: 'rest' },
  { group: 'policy', kind: 'PodDisruptionBudget', stage: 'rest' },
  { group: '*', kind: '*', stage: 'rest' },
  { group: 'admissionregistration.k8s.io', kind: 'ValidatingWebhookConfiguration', stage: 'webhooks' },
  { group: 'admissionregistration.k8s.io', kind: 'MutatingWebhookConfiguration', stage: 'webhooks' },
]);

const anyKind = places.findIndex((place) => place.kind === '*');
const anyClass = places.findIndex((place) => place.kind === '*Class');

/** Rank of a kind: lower starts earlier; prune goes the other way round. Pure. */
export function rankOf(apiVersion: string, kind: string): number {
  const { group } = splitApiVersion(apiVersion);
  const exact = places.findIndex((place) => place.group === group && place.kind === kind);
  if (exact >= 0) return exact;
  return kind.endsWith('Class') ? anyClass : anyKind;
}

export function stageOf(apiVersion: string, kind: string): Stage {
  return places[rankOf(apiVersion, kind)]?.stage ?? 'rest';
}

/** Items of each stage that has any, in the order of starting. Equal ranks are ordered by namespace and name, so that a plan is the same each time. Pure. */
export function inStages<T extends Readonly<{ ref: Readonly<{ apiVersion: string; kind: string; namespace: string; name: string }> }>>(
  items: readonly T[],
): readonly Readonly<{ stage: Stage; items: readonly T[] }>[] {
  const sorted = items.toSorted(
    (a, b) => rankOf(a.ref.apiVersion, a.ref.kind) - rankOf(b.ref.apiVersion, b.ref.kind) || order(nameKey(a.ref), nameKey(b.ref)),
  );
  return stages
    .map((stage) => ({ stage, items: sorted.filter((one) => stageOf(one.ref.apiVersion, one.ref.kind) === stage) }))
    .filter((one) => one.items.length > 0);
}

function nameKey(ref: Readonly<{ kind: string; namespace: string; name: string }>): string {
  return `${ref.kind}/${ref.namespace}/${ref.name}`;
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
