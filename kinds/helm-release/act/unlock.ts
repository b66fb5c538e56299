import type { Ctx, Shown } from '#core/kind.ts';
import { condition } from '../conditions.ts';
import { historyFrom } from '../history.ts';
import type { HelmReleaseObj, Looked, Needs } from '../observe.ts';
import { shownRecord, snapshotsOf } from '../records.ts';
import { ignoresTests } from '../state.ts';
import type { HelmReleaseStatus } from '../status.ts';

/** A killed helm left its record pending, and helm refuses to go on: the record is marked as failed, as Flux does. */
export async function unlock(ctx: Ctx<Needs>, obj: HelmReleaseObj, look: Looked, why: string): Promise<Shown<typeof HelmReleaseStatus>> {
  const [latest] = look.raw;
  if (latest === undefined) return {};
  await ctx.inventory.checkFence();
  const message = `Release unlocked from stale '${latest.status}' state`;
  await ctx.helm.unlock(latest, message, ctx.signal);
  const records = await snapshotsOf(ctx.helm, await ctx.helm.records(look.place, ctx.signal));
  return {
    status: { history: historyFrom(obj.status?.history ?? [], records, null, ignoresTests(obj.spec, obj.status)) },
    conditions: [condition('Released', 'False', 'PendingRelease', `${why}: ${shownRecord(latest)} is unlocked`)],
  };
}
