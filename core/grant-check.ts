import { AppError } from './errors.ts';
import { at, isObject, type JsonObject } from './json.ts';
import { describeRef } from './object-id.ts';
import type { ObjectRef } from './ports.ts';

/**
 * The one rule on where a tenant's objects may lie, asked before any request is made: the tenant's account never shows up in a namespace that is not its own
 * (threats B13, F8). Cluster-wide objects are the API server's to judge; an empty grant (a private cluster) limits nothing. Throws AppError clusterAnswer. Pure.
 */
export function refuseOutsideGrant(
  ref: ObjectRef,
  { granted, clusterName }: Readonly<{ granted: readonly string[]; clusterName: string }>,
): void {
  if (ref.namespace === '' || granted.length === 0 || granted.includes(ref.namespace)) return;
  throw new AppError(
    'clusterAnswer',
    `${describeRef(ref)}: namespace ${ref.namespace} of cluster ${clusterName} is not granted to this tenant (granted: ${granted.join(', ')})`,
  );
}

/** Whose labels and annotations on a Namespace decide what may run in it: the platform's to write. */
const PLATFORM_PREFIX = 'pod-security.kubernetes.io/';

/**
 * A Namespace's pod security is not for its tenant to change, whatever the account may do there (threats B17): an account with rights on its own Namespace would take the
 * restrictions off. An empty grant (a private cluster) limits nothing. Throws AppError clusterAnswer naming the key. Pure.
 */
export function refusePlatformMetadata(
  manifest: JsonObject,
  ref: ObjectRef,
  { granted, clusterName }: Readonly<{ granted: readonly string[]; clusterName: string }>,
): void {
  if (ref.kind !== 'Namespace' || ref.apiVersion !== 'v1' || granted.length === 0) return;
  for (const field of ['labels', 'annotations']) {
    const map = at(manifest, 'metadata', field);
    const key = isObject(map) ? Object.keys(map).find((one) => one.startsWith(PLATFORM_PREFIX)) : undefined;
    if (key !== undefined)
      throw new AppError(
        'clusterAnswer',
        `${describeRef(ref)}: ${key} in metadata.${field} belongs to the platform on cluster ${clusterName}: leave it out, or ask a platform administrator`,
      );
  }
}
