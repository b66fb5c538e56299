import type { TSchema } from 'typebox';
import { conditionsFor, progressing, readConditions } from '../conditions.ts';
import { AppError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { Judged, Shown } from '../kind.ts';
import type { ObjectResult } from '../store.ts';
import { contextOf } from './context.ts';
import { maskedError, maskedJudged, maskedResults, maskedShown } from './masked.ts';
import type { Running, Runtime } from './runtime.ts';

/** What a pass came to. Exactly one of `judged` and `thrown` counts; what was saved and recorded before a throw stays. */
export type Pass = Readonly<{
  judged: Judged<TSchema>;
  thrown: unknown;
  status: JsonObject;
  objects: readonly ObjectResult[];
  acted: boolean;
}>;

const MAX_STEPS = 12;

/**
 * Step 5: observe, decide, act, save, and look again, until the kind has an outcome. `Reconciling` is written just before the first act, never earlier,
 * so that a run with nothing to do writes nothing.
 */
export async function runPass(runtime: Runtime, running: Running, statusAtStart: JsonObject): Promise<Pass> {
  const { scope, run, unit, runnable } = running;
  const objects: ObjectResult[] = [];
  const done: string[] = [];
  let status = statusAtStart;
  let judged: Judged<TSchema> = { is: 'waiting', reason: 'Progressing', message: 'not looked at yet', afterMs: 1_000 };
  let thrown: unknown = null;
  let mask = (text: string): string => text;
  const limit = AbortSignal.any([running.signal, AbortSignal.timeout(runnable.timeoutMs(unit.definition))]);
  const save = async (next: JsonObject): Promise<void> => {
    status = next;
    await runtime.store.saveStatus(scope, run, next);
  };
  try {
    const bound = await runtime.bind({ scope, run, unit, runnable, signal: limit });
    mask = bound.mask;
    try {
      const ctx = contextOf(runtime, running, bound.ports, limit, objects);
      judged = await steps();
      async function steps(): Promise<Judged<TSchema>> {
        for (let count = 0; count < MAX_STEPS; count += 1) {
          const step = await runnable.step(ctx, {
            definition: unit.definition,
            status,
            done,
            clusterId: run.clusterId,
            deliveryId: unit.delivery?.uid ?? null,
          });
          if (step.is === 'done') return step.judged;
          if (done.includes(step.do)) throw new Error(`${runnable.resource.kind} asked for ${step.do} twice in one pass`);
          if (done.length === 0) await save(withProgress(status, unit.definition.generation, step.do, runtime.clock.nowMs()));
          done.push(step.do);
          const shown = maskedShown(await step.perform(), mask);
          await save(withShown(status, shown, { generation: unit.definition.generation, what: step.do, nowMs: runtime.clock.nowMs() }));
        }
        throw new Error(`${runnable.resource.kind} did not come to an outcome in ${MAX_STEPS} steps`);
      }
    } finally {
      await bound.dispose();
    }
  } catch (error) {
    thrown = timedOut(limit, running.signal)
      ? new AppError('unknownResult', `the run was still busy with ${done.at(-1) ?? 'looking'} at its time limit`)
      : error;
  }
  return {
    judged: maskedJudged(judged, mask),
    thrown: maskedError(thrown, mask),
    status,
    objects: maskedResults(objects, mask),
    acted: done.length > 0,
  };
}

/** What a step showed; its conditions stand beside those of a run that goes on. */
function withShown(
  status: JsonObject,
  shown: Shown<TSchema>,
  at: Readonly<{ generation: number; what: string; nowMs: number }>,
): JsonObject {
  const next = { ...status, ...(shown.status ?? {}) };
  if (shown.conditions === undefined) return next;
  const outcome = progressing(`working: ${at.what}`, '', 0);
  const judge = { outcome, extras: shown.conditions, previous: readConditions(next), generation: at.generation, nowMs: at.nowMs };
  return { ...next, conditions: conditionsFor(judge) as unknown as JsonObject[] };
}

function timedOut(limit: AbortSignal, stop: AbortSignal): boolean {
  return limit.aborted && !stop.aborted;
}

function withProgress(status: JsonObject, generation: number, what: string, nowMs: number): JsonObject {
  const outcome = progressing(`working: ${what}`, '', 0);
  return {
    ...status,
    conditions: conditionsFor({ outcome, extras: [], previous: readConditions(status), generation, nowMs }) as unknown as JsonObject[],
  };
}
