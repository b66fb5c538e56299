import type { TSchema } from 'typebox';
import { accountFor, kubeconfigSecret } from '../account.ts';
import { TerminalError } from '../errors.ts';
import type { Judged } from '../kind.ts';
import type { ObjectResult } from '../store.ts';
import { contextOf } from './context.ts';
import { judgeError } from './judge.ts';
import { maskedError, maskedJudged } from './masked.ts';
import type { Running, RunResult, Runtime } from './runtime.ts';
import type { LoadedUnit } from './store.ts';
import { statusOf, writeUp } from './write-up.ts';

/** The definition is deleted, or this cluster is no longer one of its places: finalize, then let the delivery (or the definition) go. */
export async function tearDown(runtime: Runtime, running: Running, why: 'deleted' | 'deselected'): Promise<RunResult> {
  const { store, clock } = runtime;
  const { scope, run, unit, runnable } = running;
  const startedAtMs = clock.nowMs();
  const objects: ObjectResult[] = [];
  const nobody = identityGone(unit);
  if (nobody !== null) return letGo(runtime, running, startedAtMs, nobody);
  const judged = await finalize(runtime, running, why, objects);
  if (judged === null) return 'lost';
  if (judged.is === 'ready') {
    if (unit.delivery !== null) {
      await store.dropDelivery(scope, run);
      runtime.released(unit.delivery.uid);
    } else await store.dropDefinition(scope, run, runnable.resource.finalizer ?? '');
    return 'done';
  }
  await save(runtime, running, judged, objects, startedAtMs);
  return 'done';
}

async function save(
  runtime: Runtime,
  { scope, run, unit, runnable }: Running,
  judged: Judged<TSchema>,
  objects: readonly ObjectResult[],
  startedAtMs: number,
): Promise<void> {
  const status = statusOf(unit.delivery ?? unit.definition);
  const finished = {
    run,
    unit,
    runnable,
    judged,
    status,
    statusAtStart: status,
    objects,
    acted: objects.length > 0 || judged.is === 'stalled',
    startedAtMs,
    nowMs: runtime.clock.nowMs(),
  };
  await runtime.store.commit(scope, run, writeUp(finished));
}

/** Why there is nobody to act as on the cluster any more, or null. Then the objects stay where they are and the delivery goes (definitions.md 3.5). */
function identityGone({ delivery, access, definition }: LoadedUnit): string | null {
  if (delivery === null || kubeconfigSecret(definition) !== null) return null;
  if (access === null) return 'the cluster was withdrawn from this tenant';
  try {
    accountFor(access, definition);
    return null;
  } catch (error) {
    if (error instanceof TerminalError) return error.message;
    throw error;
  }
}

async function letGo(runtime: Runtime, running: Running, startedAtMs: number, why: string): Promise<RunResult> {
  const { scope, run, unit } = running;
  await save(
    runtime,
    running,
    { is: 'stalled', reason: 'AccessDenied', message: `Its objects were left in place: ${why}` },
    [],
    startedAtMs,
  );
  await runtime.store.dropDelivery(scope, run);
  if (unit.delivery !== null) runtime.released(unit.delivery.uid);
  return 'done';
}

async function finalize(
  runtime: Runtime,
  running: Running,
  why: 'deleted' | 'deselected',
  objects: ObjectResult[],
): Promise<Judged<TSchema> | null> {
  const { scope, run, unit, runnable } = running;
  const status = statusOf(unit.delivery ?? unit.definition);
  let mask = (text: string): string => text;
  try {
    const limit = AbortSignal.any([running.signal, AbortSignal.timeout(runnable.timeoutMs(unit.definition))]);
    const bound = await runtime.bind({ scope, run, unit, runnable, signal: limit });
    mask = bound.mask;
    try {
      const ctx = contextOf(runtime, running, bound.ports, limit, objects);
      const judged = await runnable.finalize(
        ctx,
        { definition: unit.definition, status, done: [], clusterId: run.clusterId, deliveryId: unit.delivery?.uid ?? null },
        why,
      );
      return maskedJudged(judged, mask);
    } finally {
      await bound.dispose();
    }
  } catch (thrown) {
    const error = maskedError(thrown, mask);
    runtime.log.info({ error, why }, 'teardown ended with an error');
    return judgeError(error, 'PruneFailed');
  }
}
