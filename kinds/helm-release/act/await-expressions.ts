import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '#core/errors.ts';
import { type HealthRules, healthRules } from '#core/health-rules.ts';
import type { Ctx } from '#core/kind.ts';
import { describeRef } from '#core/object-id.ts';
import type { Health, ObjectRef } from '#core/ports.ts';
import type { HelmReleaseObj, Looked, Needs } from '../observe.ts';
import { placed } from '../post-render.ts';
import { actionTimeoutMs } from '../times.ts';

type Action = 'install' | 'upgrade';
type Wanted = Readonly<{ id: string; ref: ObjectRef }>;
/** Pauses between looks grow up to this (upstream polls every 5 s). */
const MAX_PAUSE_MS = 5_000;

/**
 * After helm's own wait: waits until `healthCheckExprs` call every object that they cover current, within what is left of the action's time. Where one failed or is late
 * the record is marked as failed, so that remediation is what it would be had helm waited; and clusterAnswer is thrown. Nothing is waited for without a wait, or with the
 * strategy `legacy` (definitions.md 4.1).
 */
export async function awaitExpressions(
  ctx: Ctx<Needs>,
  obj: HelmReleaseObj,
  action: Action,
  look: Looked,
  startedAtMs: number,
): Promise<void> {
  const { spec } = obj;
  const entries = spec.healthCheckExprs ?? [];
  if (entries.length === 0 || spec[action]?.disableWait === true || spec.waitStrategy?.name === 'legacy') return;
  const rules = (): HealthRules => rulesOf(entries, ctx);
  const [record] = await ctx.helm.records(look.place, ctx.signal);
  if (record === undefined) return;
  const manifests = await ctx.helm.objectsOf(record, ctx.signal);
  const covered = rules();
  const objects = (await Promise.all(manifests.map((manifest) => placed(ctx, manifest, record)))).filter((one) => covered.covers(one.ref));
  const problem = await waitFor(ctx, objects, rules, startedAtMs + actionTimeoutMs(spec, action));
  if (problem === null) return;
  await ctx.inventory.checkFence();
  await ctx.helm.unlock(record, `Release failed: ${problem}`, ctx.signal);
  throw new AppError('clusterAnswer', problem);
}

/** Fresh for each look, since its limit of steps is for one. */
function rulesOf(entries: Parameters<typeof healthRules>[0], { patterns }: Pick<Ctx<Needs>, 'patterns'>): HealthRules {
  const read = healthRules(entries, patterns);
  if (read.is === 'invalid') throw new AppError('invalid', read.message);
  return read.rules;
}

async function waitFor(ctx: Ctx<Needs>, objects: readonly Wanted[], rules: () => HealthRules, endMs: number): Promise<string | null> {
  for (let pauseMs = 1_000; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs + 1_000)) {
    const healths = await judged(ctx, objects, rules());
    const failed = healths.filter((one) => one.is === 'failed');
    if (failed.length > 0) return `health check failed: ${listed(failed)}`;
    const pending = healths.filter((one) => one.is !== 'current');
    if (pending.length === 0) return null;
    if (ctx.nowMs() + pauseMs > endMs) return `timeout waiting for: ${listed(pending)}`;
    await pause(pauseMs, undefined, { signal: ctx.signal }).catch((error: unknown) => {
      ctx.signal.throwIfAborted();
      throw error;
    });
  }
}

async function judged(ctx: Ctx<Needs>, objects: readonly Wanted[], rules: HealthRules): Promise<readonly Health[]> {
  const found: Health[] = [];
  for (const { id, ref } of objects) {
    const object = await ctx.cluster.read(ref, ctx.signal);
    const verdict = object === null ? ({ is: 'notFound', message: 'it does not exist' } as const) : rules.judge(ref, object);
    found.push({ id, ...verdict, message: `${describeRef(ref)}: ${verdict.message}` });
  }
  return found;
}

function listed(healths: readonly Health[]): string {
  return `${healths
    .slice(0, 5)
    .map((one) => one.message)
    .join('; ')}${healths.length > 5 ? ` and ${healths.length - 5} more` : ''}`;
}
