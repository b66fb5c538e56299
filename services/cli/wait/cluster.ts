import type { JsonObject } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { conditionOf, isReadyNow, notReady } from '#services/cli/wait/not-ready.ts';
import { waitUntil } from '#services/cli/wait/until.ts';

const clusters = Object.freeze({ group: 'weir.dev', version: 'v1', plural: 'clusters', namespaced: true });

/** Until the plane has reached the cluster with its own credential. Throws CliFailure (exit 1) when it has not within the time. */
export async function waitForCluster(
  cli: Cli,
  plane: Plane,
  cluster: Readonly<{ name: string; planeNamespace: string }>,
  timeoutMs: number,
): Promise<void> {
  cli.narrate.wait(`waiting until the plane has reached ${cluster.name}`);
  const what = { resource: clusters, namespace: cluster.planeNamespace, name: cluster.name };
  const waited = await waitUntil(cli, plane, what, isSettled, timeoutMs);
  if (waited.is === 'yes' && isReadyNow(waited.object)) {
    cli.narrate.done(`${cluster.name}: ${conditionOf(waited.object, 'Ready')?.message ?? 'ready'}`);
    return;
  }
  const why = waited.is === 'late' ? `is not ready after ${timeoutMs / 1_000} s` : 'is not ready';
  throw await notReady(plane, {
    object: waited.object,
    title: `Cluster/${cluster.planeNamespace}/${cluster.name}`,
    why,
    next: `weir cluster check ${cluster.name}`,
  });
}

/** Ready, paused, or gone. A refused credential or an address that does not answer may be the state from before: it is waited for. */
function isSettled(object: JsonObject | null): boolean {
  return object === null || isReadyNow(object) || conditionOf(object, 'Ready')?.reason === 'ClusterPaused';
}
