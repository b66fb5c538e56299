import type { Ctx, Judged } from '#core/kind.ts';
import { refOfId } from '#core/object-id.ts';
import { deselectionGuard } from '#core/prune-guard.ts';
import { refuseDenied, removeAll } from './act/prune.ts';
import { type KustomizationObj, type Needs, withinGrant } from './observe.ts';
import { planOf } from './plan.ts';
import type { KustomizationStatus } from './schema.ts';
import { timeoutMs } from './times.ts';

const AGAIN_MS = 2_000;
const APPROVAL_AGAIN_MS = 10 * 60_000;

/**
 * The Kustomization is deleted, or this cluster is no longer one of its places (definitions.md 3.5). `ready` lets the delivery go. A person who deletes the definition is not asked again;
 * a deselected cluster goes through the same guard as a new revision (design.md section 7).
 */
export async function finalize(
  ctx: Ctx<Needs>,
  obj: KustomizationObj,
  why: 'deleted' | 'deselected',
): Promise<Judged<typeof KustomizationStatus>> {
  const { spec, definition } = obj;
  const inventory = withinGrant(await ctx.inventory.load(), ctx.cluster.namespaces);
  if (inventory.length === 0 || spec.suspend === true || !deletes(spec)) return gone();
  const refs = inventory.flatMap((entry) => {
    const ref = refOfId(entry.id, entry.version);
    return ref === null ? [] : [{ id: entry.id, ref }];
  });
  const live = await ctx.cluster.live(obj.deliveryId, refs, ctx.signal);
  const { prune, forget } = planOf({ desired: [], inventory, live, deliveryId: obj.deliveryId, full: false });
  if (why === 'deselected') {
    const { annotations } = definition;
    const held = await deselectionGuard(ctx.cluster, { kind: 'Kustomization', prune, total: inventory.length, annotations }, ctx.signal);
    if (held !== null) {
      const { message, ...prunePlan } = held;
      return { is: 'waiting', reason: 'PruneApprovalRequired', message, afterMs: APPROVAL_AGAIN_MS, shown: { status: { prunePlan } } };
    }
  }
  if (forget.length > 0) await ctx.inventory.forget(forget);
  const results = await removeAll(ctx, obj.deliveryId, prune);
  refuseDenied(results, prune);
  const terminating = results.filter((one) => one.is === 'terminating');
  if (terminating.length === 0 || spec.deletionPolicy !== 'WaitForTermination') return gone();
  return waitForTermination(obj, terminating.length, ctx.nowMs());
}

function deletes(spec: KustomizationObj['spec']): boolean {
  switch (spec.deletionPolicy ?? 'MirrorPrune') {
    case 'Orphan':
      return false;
    case 'MirrorPrune':
      return spec.prune;
    case 'Delete':
    case 'WaitForTermination':
      return true;
  }
}

/** Lets go after the time limit, and says so. */
function waitForTermination(obj: KustomizationObj, count: number, nowMs: number): Judged<typeof KustomizationStatus> {
  const sinceMs = obj.status?.healthSince?.digest === 'termination' ? obj.status.healthSince.sinceMs : nowMs;
  if (nowMs - sinceMs >= timeoutMs(obj.spec)) return gone();
  return {
    is: 'waiting',
    reason: 'Progressing',
    message: `waiting for ${count} objects to terminate`,
    afterMs: AGAIN_MS,
    shown: { status: { healthSince: { digest: 'termination', sinceMs } } },
  };
}

function gone(): Judged<typeof KustomizationStatus> {
  return { is: 'ready', reason: 'Succeeded', message: 'torn down', revision: '' };
}
