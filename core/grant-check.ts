import { AppError } from './errors.ts';
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
