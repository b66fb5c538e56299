import type { ResourceType } from '#adapters/kube/paths.ts';
import { nameOf } from '#adapters/kube/ssa/outcome.ts';
import type { ObjectRef } from '#core/ports.ts';

/**
 * Null, or why an object is not touched: it lies in a namespace that the tenant was not granted, or names none. `type` is null while the kind is not
 * known. Cluster-scoped objects are tried as the tenant's account: the API server decides. An empty grant (a private cluster) limits nothing. Pure.
 */
export function outsideGrant(ref: ObjectRef, type: ResourceType | null, clusterName: string, namespaces: readonly string[]): string | null {
  if (type !== null && !type.namespaced) return null;
  if (ref.namespace === '') return type === null ? null : `${nameOf(ref)}: it names no namespace`;
  if (namespaces.length === 0 || namespaces.includes(ref.namespace)) return null;
  return `${nameOf(ref)}: namespace ${ref.namespace} of cluster ${clusterName} is not granted to this tenant (granted: ${namespaces.join(', ')})`;
}
