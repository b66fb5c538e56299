import type { TSchema } from 'typebox';
import type { Judged } from '../kind.ts';
import type { ObjectResult } from '../store.ts';
import { contextOf } from './context.ts';
import { judgeError } from './judge.ts';
import type { Running, RunResult, Runtime } from './run.ts';
import { statusOf, writeUp } from './write-up.ts';

/** The definition is deleted, or this cluster is no longer one of its places: finalize, then let the delivery (or the definition) go. */
export async function tearDown(runtime: Runtime, running: Running, why: 'deleted' | 'deselected'): Promise<RunResult> {
  const { store, clock } = runtime;
  const { scope, run, unit, runnable } = running;
  const startedAtMs = clock.nowMs();
  const objects: ObjectResult[] = [];
  const judged = await finalize(runtime, running, why, objects);
  if (judged === null) return 'lost';
  if (judged.is === 'ready') {
    if (unit.delivery !== null) await store.dropDelivery(scope, run);
    else await store.dropDefinition(scope, run, runnable.resource.finalizer ?? '');
    return 'done';
  }
  const status = statusOf(unit.delivery ?? unit.definition);
  await store.commit(scope, run, writeUp({ run, unit, runnable, judged, status, statusAtStart: status, objects, acted: objects.length > 0, startedAtMs, nowMs: clock.nowMs() }));
  return 'done';
}

async function finalize(runtime: Runtime, running: Running, why: 'deleted' | 'deselected', objects: ObjectResult[]): Promise<Judged<TSchema> | null> {
  const { scope, run, unit, runnable } = running;
  const status = statusOf(unit.delivery ?? unit.definition);
  try {
    const bound = await runtime.bind({ scope, run, unit, runnable });
    try {
      const limit = AbortSignal.any([running.signal, AbortSignal.timeout(runnable.timeoutMs(unit.definition))]);
      const ctx = contextOf(runtime, running, bound.ports, limit, objects);
      return await runnable.finalize(ctx, { definition: unit.definition, status, done: [], clusterId: run.clusterId, deliveryId: unit.delivery?.uid ?? null }, why);
    } finally {
      await bound.dispose();
    }
  } catch (error) {
    runtime.log.info({ error, why }, 'teardown ended with an error');
    return judgeError(error, 'PruneFailed');
  }
}
