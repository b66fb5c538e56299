import { type Answer, isNotFound, messageOf } from '#adapters/kube/answer.ts';
import { deleteObject, getMeta, type Target } from '#adapters/kube/objects.ts';
import type { ResourceType } from '#adapters/kube/paths.ts';
import type { Session } from '#adapters/kube/session.ts';
import { inStages } from '#adapters/kube/ssa/order.ts';
import { asError, isUncertain, nameOf } from '#adapters/kube/ssa/outcome.ts';
import { AppError } from '#core/errors.ts';
import type { ObjectRef, Removed } from '#core/ports.ts';

export type RemoveTarget = Readonly<{ id: string; ref: ObjectRef; uid: string }>;

export type RemoveRun = Readonly<{
  session: Session;
  deliveryId: string;
  resolve(apiVersion: string, kind: string): Promise<ResourceType | null>;
  /** A fresh word of the API server that the kind does not exist. */
  isKindGone(apiVersion: string, kind: string): Promise<boolean>;
  refuses(ref: ObjectRef, type: ResourceType | null): string | null;
  writing<T>(target: Target, write: () => Promise<T>): Promise<T>;
  gone(target: Target): void;
  removedOne(): Promise<void>;
  beforeBatch(): Promise<void>;
  afterBatch(results: readonly Removed[]): Promise<void>;
  signal: AbortSignal;
}>;

const batchSize = 50;

/**
 * Deletes in the reverse order of applying, in batches. An object is deleted only when it carries this delivery's label and has the recorded uid
 * (INV-6); `gone` means that the API server said 404 or showed another uid. One result per target, in their order. Throws AppError clusterUnreachable and
 * clusterRefused, after the batch's results were recorded.
 */
export async function removeAll(run: RemoveRun, targets: readonly RemoveTarget[]): Promise<readonly Removed[]> {
  const results = new Map<string, Removed>();
  for (const { items } of inStages(targets).toReversed()) {
    const left = items.toReversed();
    while (left.length > 0) {
      run.signal.throwIfAborted();
      await run.beforeBatch();
      const { removed, stop } = await removeBatch(run, left.splice(0, batchSize));
      for (const one of removed) results.set(one.id, one);
      await run.afterBatch(removed);
      if (stop !== null) throw stop;
    }
  }
  return targets.map((one) => results.get(one.id) ?? { id: one.id, is: 'unknown' });
}

async function removeBatch(
  run: RemoveRun,
  batch: readonly RemoveTarget[],
): Promise<Readonly<{ removed: readonly Removed[]; stop: Error | null }>> {
  let stop: Error | null = null;
  const removed = await Promise.all(
    batch.map(async (one): Promise<Removed> => {
      try {
        const result = await removeOne(run, one);
        await run.removedOne();
        return result;
      } catch (error) {
        if (!(error instanceof AppError)) stop ??= asError(error);
        else if (error.code === 'clusterAnswer') return { id: one.id, is: 'denied', message: error.message };
        else if (error.code !== 'unknownResult') stop ??= error;
        return {
          id: one.id,
          is: 'unknown',
          message: error instanceof AppError ? error.message : `${nameOf(one.ref)}: not looked at to the end`,
        };
      }
    }),
  );
  return { removed, stop };
}

async function removeOne(run: RemoveRun, one: RemoveTarget): Promise<Removed> {
  const { ref, id } = one;
  const early = run.refuses(ref, null);
  if (early !== null) return { id, is: 'denied', message: early };
  const type = await run.resolve(ref.apiVersion, ref.kind);
  if (type === null) {
    if (await run.isKindGone(ref.apiVersion, ref.kind)) return { id, is: 'gone', message: `the cluster has no kind ${ref.kind} any more` };
    return { id, is: 'unknown', message: `${nameOf(ref)}: the API of ${ref.apiVersion} does not answer` };
  }
  const refusal = run.refuses(ref, type);
  if (refusal !== null) return { id, is: 'denied', message: refusal };
  const target: Target = { type, namespace: type.namespaced ? ref.namespace : '', name: ref.name };
  return run.writing(target, () => removeTarget(run, one, target));
}

async function removeTarget(run: RemoveRun, one: RemoveTarget, target: Target): Promise<Removed> {
  const live = await look(run, one, target);
  if (live !== null) return live;
  const answer = await deleteObject(run.session, target, one.uid, run.signal);
  const refused = refusal(run, one, answer);
  if (refused !== null) return refused;
  return (
    (await look(run, one, target)) ?? {
      id: one.id,
      is: 'terminating',
      message: `${nameOf(one.ref)}: its deletion was accepted and is not finished`,
    }
  );
}

/** What the live object says about deleting it; null: it is ours and still stands. */
async function look(run: RemoveRun, one: RemoveTarget, target: Target): Promise<Removed | null> {
  const { id, ref } = one;
  const live = await getMeta(run.session, target, run.signal);
  if (live === null) {
    run.gone(target);
    return { id, is: 'gone' };
  }
  if (live.uid !== one.uid) return { id, is: 'otherUid', message: `${nameOf(ref)} was made anew by somebody else` };
  if (live.deliveryLabel !== run.deliveryId)
    return { id, is: 'notOurs', message: `${nameOf(ref)} no longer carries the label of this delivery` };
  if (live.deleting) return { id, is: 'terminating', message: `${nameOf(ref)} is being deleted; a finalizer holds it` };
  return null;
}

function refusal(run: RemoveRun, one: RemoveTarget, answer: Answer): Removed | null {
  if (answer.status < 300 || isNotFound(answer)) return null;
  // The uid precondition failed: the next look tells.
  if (answer.status === 409) return null;
  const message = `${nameOf(one.ref)}: ${messageOf(answer)}`;
  if (answer.status >= 500 && isUncertain(answer)) return { id: one.id, is: 'unknown', message };
  return {
    id: one.id,
    is: 'denied',
    message: answer.status === 403 ? `${nameOf(one.ref)}: ${run.session.account} was refused: ${messageOf(answer)}` : message,
  };
}
