import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import { splitApiVersion } from '#core/object-id.ts';
import { condition } from '../conditions.ts';
import { historyFrom } from '../history.ts';
import type { HelmReleaseObj, Looked, Needs } from '../observe.ts';
import { ownChart, ownerLabels } from '../own-chart.ts';
import { shownRecord, snapshotOf } from '../records.ts';
import { ignoresTests } from '../state.ts';
import type { HelmReleaseStatus } from '../status.ts';

type Shows = Shown<typeof HelmReleaseStatus>;

/** Writes the HelmChart of `spec.chart`, and takes away the one that is no longer used. Idempotent. */
export async function writeChart(ctx: Ctx<Needs>, obj: HelmReleaseObj): Promise<Shows> {
  const wanted = ownChart(obj);
  const shown = wanted === null ? '' : `${wanted.namespace}/${wanted.name}`;
  const former = obj.status?.helmChart ?? '';
  if (wanted !== null) await ctx.owned.ensure(wanted);
  if (former !== '' && former !== shown) await removeChart(ctx, obj, former);
  return { status: { helmChart: shown } };
}

/** Only one that carries our labels: a HelmChart that somebody else made under the name stays. */
export async function removeChart(ctx: Ctx<Needs>, obj: Pick<HelmReleaseObj, 'definition'>, shown: string): Promise<void> {
  const [namespace = '', name = ''] = shown.split('/');
  await ctx.owned.remove({ kind: 'HelmChart', namespace, name }, ownerLabels(obj));
}

/** A killed helm left its record pending, and helm refuses to go on: the record is marked as failed, as Flux does. */
export async function unlock(ctx: Ctx<Needs>, obj: HelmReleaseObj, look: Looked, why: string): Promise<Shows> {
  const [latest] = look.raw;
  if (latest === undefined) return {};
  await ctx.inventory.checkFence();
  const message = `Release unlocked from stale '${latest.status}' state`;
  await ctx.helm.unlock(latest, message, ctx.signal);
  const records = (await ctx.helm.records(look.place, ctx.signal)).map(snapshotOf);
  return {
    status: { history: historyFrom(obj.status?.history ?? [], records, null, ignoresTests(obj.spec, obj.status)) },
    conditions: [condition('Released', 'False', 'PendingRelease', `${why}: ${shownRecord(latest)} is unlocked`)],
  };
}

/** Sets back what was changed by hand, as helm's own field manager. Idempotent. Throws AppError clusterAnswer naming what was refused. */
export async function correct(ctx: Ctx<Needs>, { drift }: Looked): Promise<Shows> {
  const items = drift.map(({ id, ref, manifest }) => ({ id, ref, manifest, recreate: false, mode: 'Override' as const }));
  const results = await ctx.cluster.apply(
    items,
    {
      dryRun: false,
      beforeBatch: () => ctx.inventory.checkFence(),
      afterBatch: async (batch) => {
        const versions = new Map(items.map((one) => [one.id, splitApiVersion(one.ref.apiVersion).version]));
        const confirmed = batch.flatMap(({ id, uid, generation, resourceVersion, action, unknown }) =>
          uid === null || resourceVersion === null || action === 'failed' || unknown === true
            ? []
            : [{ id, version: versions.get(id) ?? '', uid, appliedDigest: '', generation, resourceVersion }],
        );
        if (confirmed.length > 0) await ctx.inventory.confirm(confirmed);
      },
    },
    ctx.signal,
  );
  ctx.record(results.map(({ id, action, message }) => ({ id, action, ...(message === undefined ? {} : { message }) })));
  const [refused] = results.filter((one) => one.action === 'failed');
  if (refused !== undefined) throw new AppError('clusterAnswer', `drift could not be corrected: ${refused.message ?? refused.id}`);
  return { conditions: [condition('Drifted', 'False', 'DriftCorrected', `corrected: ${drift.map((one) => one.shown).join('; ')}`)] };
}

/** Objects that moved without a difference are known by their new version from now on. */
export async function note(ctx: Ctx<Needs>, { settled }: Looked): Promise<Shows> {
  const entries = settled.map(({ id, version, meta: { uid, generation, resourceVersion } }) => ({
    id,
    version,
    uid,
    appliedDigest: '',
    generation,
    resourceVersion,
  }));
  await ctx.inventory.confirm(entries);
  return {};
}
