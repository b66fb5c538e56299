import type { Target } from '#adapters/kube/objects.ts';
import { type ResourceType, splitApiVersion } from '#adapters/kube/paths.ts';
import { pollUntil } from '#adapters/kube/pause.ts';
import { type ApplyContext, applyObject } from '#adapters/kube/ssa/apply-object.ts';
import { mustBeEstablished, waitEstablished } from '#adapters/kube/ssa/established.ts';
import { inStages } from '#adapters/kube/ssa/order.ts';
import { asError, failed, nameOf, skipped, unknown } from '#adapters/kube/ssa/outcome.ts';
import { AppError } from '#core/errors.ts';
import { textAt } from '#core/json.ts';
import type { Applied, ApplyItem } from '#core/ports.ts';

export type ApplyHooks = Readonly<{ beforeBatch(): Promise<void>; afterBatch(results: readonly Applied[]): Promise<void> }>;

export type ApplyRun = ApplyContext &
  ApplyHooks &
  Readonly<{
    resolve(apiVersion: string, kind: string): Promise<ResourceType | null>;
    /** Null, or why the object must not be touched. */
    refuses(item: ApplyItem, type: ResourceType | null): string | null;
    /** Around each write, so that the watch knows our own events. */
    writing<T extends Applied>(target: Target, write: () => Promise<T>): Promise<T>;
    /** After each object, whatever came of it (failpoint r7). */
    appliedOne(): Promise<void>;
    /** After a CRD: discovery is asked anew. */
    kindsChanged(): void;
  }>;

const batchSize = 50;
/** A new kind is in discovery a moment after its CRD is Established. */
const newKindTimeoutMs = 15_000;

/**
 * Applies in stages. A stage begins only when all of the one before went well; inside one, every object is tried, so that all errors are told at
 * once. One result per item, in the order of `items`. Objects outside the grant are refused before any request, and then nothing is applied.
 */
export async function applyAll(run: ApplyRun, items: readonly ApplyItem[]): Promise<readonly Applied[]> {
  const results = new Map<string, Applied>();
  const refused = refusals(run, items);
  if (refused.size > 0)
    return items.map((item) => refused.get(item.id) ?? skipped(item, 'not applied: other objects are outside the grant'));
  const defined = kindsDefinedBy(items);
  for (const { items: staged } of inStages(items)) {
    const left = staged.slice();
    while (left.length > 0) {
      run.signal.throwIfAborted();
      await run.beforeBatch();
      const batch = left.splice(0, batchSize);
      const { applied, stop } = await applyBatch(run, defined, batch);
      for (const one of applied) results.set(one.id, one);
      await run.afterBatch(applied);
      if (stop !== null) throw stop;
      // What is unknown may have ended anywhere: the rest waits for the next run, which looks again.
      if (applied.some((one) => one.unknown === true)) return finish(items, results, 'not tried: the result of another object is unknown');
    }
    if (staged.some((item) => results.get(item.id)?.action === 'failed'))
      return finish(items, results, 'not tried: an object of an earlier stage failed');
  }
  return finish(items, results, 'not tried');
}

function refusals(run: ApplyRun, items: readonly ApplyItem[]): ReadonlyMap<string, Applied> {
  const refused = new Map<string, Applied>();
  for (const item of items) {
    // What needs no knowledge of the cluster is refused without any request.
    const early = run.refuses(item, null);
    if (early !== null) refused.set(item.id, failed(item, early));
  }
  return refused;
}

function finish(items: readonly ApplyItem[], results: ReadonlyMap<string, Applied>, why: string): readonly Applied[] {
  return items.map((item) => results.get(item.id) ?? skipped(item, why));
}

type Batch = Readonly<{ applied: readonly Applied[]; stop: Error | null }>;

/** Starts in order; the pool's slots decide how many are under way. An error that ends the run is thrown only after the batch's results are recorded. */
async function applyBatch(run: ApplyRun, defined: ReadonlySet<string>, batch: readonly ApplyItem[]): Promise<Batch> {
  let stop: Error | null = null;
  const applied = await Promise.all(
    batch.map(async (item): Promise<Applied> => {
      try {
        const applied = await applyOne(run, defined, item);
        await run.appliedOne();
        return applied;
      } catch (error) {
        if (error instanceof AppError && error.code === 'unknownResult') return unknown(item, error.message);
        if (error instanceof AppError && error.code === 'clusterAnswer') return failed(item, `${nameOf(item.ref)}: ${error.message}`);
        stop ??= asError(error);
        return failed(item, error instanceof AppError ? error.message : `${nameOf(item.ref)}: not tried to the end`);
      }
    }),
  );
  return { applied, stop };
}

async function applyOne(run: ApplyRun, defined: ReadonlySet<string>, item: ApplyItem): Promise<Applied> {
  const type = await findType(run, defined, item);
  if (type === null) {
    if (run.dryRun) return skipped(item, `${nameOf(item.ref)}: the cluster has no kind ${item.ref.kind} in ${item.ref.apiVersion} yet`);
    return failed(item, `${nameOf(item.ref)}: the cluster has no kind ${item.ref.kind} in ${item.ref.apiVersion}`);
  }
  const refusal = run.refuses(item, type);
  if (refusal !== null) return failed(item, refusal);
  const target: Target = { type, namespace: type.namespaced ? item.ref.namespace : '', name: item.ref.name };
  const applied = await run.writing(target, () => applyObject(run, target, item));
  if (run.dryRun || applied.action === 'failed' || applied.unknown === true || !mustBeEstablished(target)) return applied;
  const why = await waitEstablished(run, target, item);
  run.kindsChanged();
  return why === null ? applied : failed(item, why);
}

/** A kind whose CRD was applied by this very run may need a moment. */
async function findType(run: ApplyRun, defined: ReadonlySet<string>, item: ApplyItem): Promise<ResourceType | null> {
  const { apiVersion, kind } = item.ref;
  const type = await run.resolve(apiVersion, kind);
  if (type !== null || run.dryRun || !defined.has(`${splitApiVersion(apiVersion).group}/${kind}`)) return type;
  return pollUntil(newKindTimeoutMs, run.nowMs, run.signal, async () => {
    run.kindsChanged();
    return run.resolve(apiVersion, kind);
  });
}

/** `group/Kind` of each CRD among the items. */
function kindsDefinedBy(items: readonly ApplyItem[]): ReadonlySet<string> {
  const definitions = items.filter((item) => item.ref.kind === 'CustomResourceDefinition').map((item) => item.manifest['spec']);
  return new Set(definitions.map((spec) => `${textAt(spec, 'group') ?? ''}/${textAt(spec, 'names', 'kind') ?? ''}`));
}
