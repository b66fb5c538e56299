import { createHash } from 'node:crypto';
import { kubeconfigSecret } from '../account.ts';
import { readConditions } from '../conditions.ts';
import { APPROVE_PRUNE, REQUESTED_AT } from '../consequences.ts';
import { at, textAt } from '../json.ts';
import type { StoredObject } from '../store.ts';
import { foldFor } from './fold.ts';
import type { Running, RunResult, Runtime } from './runtime.ts';
import type { Place } from './store.ts';
import { finalStatus, statusOf } from './write-up.ts';

const KUBECONFIG = 'kubeconfig';
/** How soon a definition without a place, or one whose deliveries are still being torn down, is looked at again if nobody wakes it. */
const LOOK_AGAIN_MS = 10 * 60_000;

/**
 * Step 4: a definition of a delivery kind has no work of its own but to have one delivery on each of its places. Nowhere is `Stalled`, reason NoCluster.
 * A deleting definition deselects all and goes when the last delivery is gone.
 */
export async function fanOut(runtime: Runtime, running: Running): Promise<RunResult> {
  const { store } = runtime;
  const { scope, run, unit, runnable } = running;
  const { definition } = unit;
  if (definition.deletingAtMs !== null) return leave(runtime, running);
  if (runnable.suspended(definition)) {
    await store.commit(scope, run, quiet(definition));
    return 'done';
  }
  const { places, hint } = await placesOf(runtime, running);
  const trigger = at(statusOf(definition), 'observedGeneration') !== definition.generation || asked(definition);
  const deliveries = await store.fanOut(scope, run, definition, places, { trigger });
  for (const one of approvable(definition, deliveries)) await store.trigger(scope, one.uid, 'prune approved');
  if (places.length > 0) {
    await store.commit(scope, run, { ...quiet(definition), fold: foldFor(definition.kind) });
    return 'done';
  }
  const judged = { is: 'stalled', reason: 'NoCluster', message: hint } as const;
  const status = finalStatus({ unit, judged, status: statusOf(definition), nowMs: runtime.clock.nowMs() });
  await store.commit(scope, run, { ...quiet(definition), status });
  return 'done';
}

async function leave(runtime: Runtime, { scope, run, unit, runnable }: Running): Promise<RunResult> {
  const { definition } = unit;
  await runtime.store.fanOut(scope, run, definition, [], { trigger: true });
  const gone = await runtime.store.dropDefinition(scope, run, runnable.resource.finalizer ?? '');
  if (!gone) await runtime.store.release(scope, run, LOOK_AGAIN_MS);
  return 'done';
}

async function placesOf(runtime: Runtime, { scope, unit }: Running): Promise<Readonly<{ places: readonly Place[]; hint: string }>> {
  const { definition } = unit;
  const secret = kubeconfigSecret(definition);
  if (secret !== null) return { places: [privatePlace(definition, secret.name)], hint: '' };
  if (at(definition.body, 'spec', 'kubeConfig', 'configMapRef') !== undefined) {
    return {
      places: [],
      hint: 'spec.kubeConfig.configMapRef is not supported yet: use spec.kubeConfig.secretRef, or onboard the cluster and select it by a Placement',
    };
  }
  return runtime.store.places(scope, definition);
}

/** A cluster that only this tenant's kubeconfig Secret describes: no Placement can select it, and its id is the same for every definition that uses the Secret. */
function privatePlace(definition: StoredObject, secret: string): Place {
  const digest = createHash('sha256').update(`${definition.tenantId}/${definition.namespace}/${secret}`).digest('hex');
  const clusterId = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-4${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return { clusterId, clusterNamespace: definition.namespace, clusterName: `${KUBECONFIG}-${secret}` };
}

function asked(definition: StoredObject): boolean {
  return definition.annotations[REQUESTED_AT] !== textAt(statusOf(definition), 'lastHandledReconcileAt');
}

/**
 * Deliveries that an approval may concern, deselected ones included: all that are not ready. One whose run is just going on has read the definition without it, so the plan in
 * its status decides nothing here; the run itself compares the digest. Pure.
 */
export function approvable(definition: StoredObject, deliveries: readonly StoredObject[]): readonly StoredObject[] {
  if ((definition.annotations[APPROVE_PRUNE] ?? '') === '') return [];
  return deliveries.filter((one) => !readConditions(statusOf(one)).some(({ type, status }) => type === 'Ready' && status === 'True'));
}

function quiet(definition: StoredObject) {
  return { status: statusOf(definition), fold: null, event: null, ledger: null, dueInMs: null, failures: 0, outbox: [], artifact: null };
}
