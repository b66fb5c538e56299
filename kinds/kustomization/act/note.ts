import type { Ctx, Shown } from '#core/kind.ts';
import type { LiveMeta } from '#core/ports.ts';
import type { Desired } from '../desired.ts';
import type { Needs } from '../observe.ts';
import type { KustomizationStatus } from '../schema.ts';

/** Renews the recorded version of objects that moved without a difference, and drops entries of objects confirmed absent. No request to the cluster. */
export async function note(
  ctx: Ctx<Needs>,
  settled: readonly Readonly<{ desired: Desired; live: LiveMeta }>[],
  forget: readonly string[],
): Promise<Shown<typeof KustomizationStatus>> {
  if (settled.length > 0) {
    await ctx.inventory.confirm(
      settled.map(({ desired, live }) => ({
        id: desired.id,
        version: desired.version,
        uid: live.uid,
        appliedDigest: desired.digest,
        generation: live.generation,
        resourceVersion: live.resourceVersion,
      })),
    );
  }
  if (forget.length > 0) await ctx.inventory.forget(forget);
  return {};
}
