import type { Ctx, Shown } from '#core/kind.ts';
import { condition, describeRelease, without } from '../conditions.ts';
import { historyFrom } from '../history.ts';
import type { HelmReleaseObj, Looked, Needs } from '../observe.ts';
import { refuseRecord } from '../post-render.ts';
import { snapshotsOf } from '../records.ts';
import { ignoresTests } from '../state.ts';
import type { HelmReleaseStatus, Snapshot } from '../status.ts';
import { actionTimeoutMs } from '../times.ts';
import { isFailure } from './attempt.ts';
import { takeStock } from './take-stock.ts';
import { uninstallRelease } from './uninstall.ts';

type Shows = Shown<typeof HelmReleaseStatus>;

/** Goes back to an earlier good release after a failed upgrade. A failure is shown in Remediated and tried again. */
export async function rollback(ctx: Ctx<Needs>, obj: HelmReleaseObj, look: Looked, to: Snapshot): Promise<Shows> {
  const options = obj.spec.rollback;
  const target = look.raw.find((one) => one.version === to.version);
  try {
    if (target !== undefined) await refuseRecord(ctx, target);
    await ctx.helm.perform(
      look.place,
      {
        do: 'rollback',
        to: to.version,
        timeoutMs: actionTimeoutMs(obj.spec, 'rollback'),
        disableHooks: options?.disableHooks ?? false,
        disableWait: options?.disableWait ?? false,
        disableWaitForJobs: options?.disableWaitForJobs ?? false,
        waitStrategy: obj.spec.waitStrategy?.name ?? 'poller',
        force: options?.force ?? false,
        cleanupOnFail: options?.cleanupOnFail ?? false,
        serverSide: options?.serverSideApply ?? 'auto',
        maxHistory: obj.spec.maxHistory ?? 5,
      },
      ctx.signal,
    );
  } catch (error) {
    if (!isFailure(error)) throw error;
    return {
      conditions: [
        condition(
          'Remediated',
          'False',
          'RollbackFailed',
          `Helm rollback to previous release ${describeRelease(to)} failed: ${error.message}`,
        ),
      ],
    };
  }
  const raw = await ctx.helm.records(look.place, ctx.signal);
  const snapshots = await snapshotsOf(ctx.helm, raw);
  const own = (obj.status?.history ?? []).find((one) => one.version === to.version && one.digest === to.digest);
  const made = {
    version: snapshots[0]?.version ?? 0,
    configDigest: own?.configDigest ?? to.configDigest,
    ociDigest: own?.ociDigest ?? null,
    action: 'rollback',
  };
  return {
    status: {
      ...(await takeStock(ctx, obj, raw)),
      history: historyFrom(obj.status?.history ?? [], snapshots, made, ignoresTests(obj.spec, obj.status)),
    },
    conditions: [
      condition('Remediated', 'True', 'RollbackSucceeded', `Helm rollback to previous release ${describeRelease(to)} succeeded`),
    ],
  };
}

/** Takes a failed release away, as the remediation asks for. */
export async function uninstallFailed(ctx: Ctx<Needs>, obj: HelmReleaseObj, look: Looked): Promise<Shows> {
  const [latest] = look.records;
  const shown = latest === undefined ? `${look.place.namespace}/${look.place.name}` : describeRelease(latest);
  try {
    await uninstallRelease(ctx, obj, look.place, look.raw);
  } catch (error) {
    if (!isFailure(error)) throw error;
    return {
      conditions: [condition('Remediated', 'False', 'UninstallFailed', `Helm uninstall of release ${shown} failed: ${error.message}`)],
    };
  }
  const records = await snapshotsOf(ctx.helm, await ctx.helm.records(look.place, ctx.signal));
  return {
    status: { history: historyFrom(obj.status?.history ?? [], records, null, false), inventory: { entries: [] } },
    conditions: [condition('Remediated', 'True', 'UninstallSucceeded', `Helm uninstall of release ${shown} succeeded`)],
  };
}

/** Takes away a release that moved to another name, namespace or chart; its history goes with it. */
export async function replace(ctx: Ctx<Needs>, obj: HelmReleaseObj, leaving: NonNullable<Looked['leaving']>): Promise<Shows> {
  await uninstallRelease(ctx, obj, leaving.place, await ctx.helm.records(leaving.place, ctx.signal));
  return { status: { history: [], inventory: { entries: [] } }, conditions: without('Released', 'Remediated', 'TestSuccess') };
}
