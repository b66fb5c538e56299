import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#deploy/demo/until.ts';
import { idOf } from '#tests/harness/fault-cluster.ts';
import { inventoryIds, unitRows } from '#tests/harness/fault-rows.ts';
import { type FaultStage, startFaultStage } from '#tests/harness/fault-stage.ts';
import { filesOf, openHistory, type WorkHistory } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const FIRST = { a: '0', b: '0', c: '0', d: '0', spare: '0' };
const TAKEN_UP_MS = 15_000;
const CONVERGED_MS = 20_000;
const AFTER_INTENT = ['r6', 'r7', 'r8', 'r9', 'r10'];

/**
 * Fault 1 of reliability.md: the plane, all in one process, is killed at each of these failpoints; the next one takes its work up and nothing is lost. Registers the file's hooks and one test a point:
 * call once, at the top of a file. One stage serves all points of the file, so that each finds what the kill before left.
 */
export function planeKilledAt(points: readonly string[]): void {
  const dir = useTemporaryDir('file');
  const children = useChildren('file');
  const at: { stage: FaultStage; history: WorkHistory } = {} as never;

  beforeAll(async () => {
    at.stage = await startFaultStage(children, { dir: dir(), files: filesOf(FIRST), stores: 'embedded' });
    at.history = await openHistory(at.stage, FIRST);
    await at.history.converged(30_000);
  });

  afterAll(async () => {
    at.history.stop();
    await at.stage.stop();
  });

  describe('the plane is killed at', () => {
    it.each(points)('%s', (point) => killAt(at.stage, at.history, point));
  });
}

async function killAt(stage: FaultStage, history: WorkHistory, point: string): Promise<void> {
  // One object that changes, one that comes, one that leaves: every step of a delivery has something to do.
  await history.commit({ a: point, b: point, [`new-${point}`]: point, ...leaving(history, point) });
  await history.trigger();
  await stage.kill();
  await stage.start({ WEIR_FAILPOINT: `${point}:kill` });
  const diedMs = await stage.died();
  const before = await stage.atRest(async (url) => ({ units: await unitRows(url), inventory: await inventoryIds(url) }));
  expect(await history.violations(before.inventory), 'at the moment of the kill').toEqual([]);
  if (AFTER_INTENT.includes(point))
    expect(before.inventory, 'intended before the first apply').toContain(idOf(stage.tenant.clusterNamespace, `new-${point}`));
  await stage.start();
  await until('taken up', TAKEN_UP_MS, 20, async () => {
    const units = await unitRows(await stage.databaseUrl());
    const open = before.units.filter((one) => one.isDue);
    return open.every((one) => (units.find((each) => each.unit === one.unit)?.fence ?? one.fence + 1) > one.fence) ? true : null;
  });
  const takenUpMs = Date.now() - diedMs;
  await history.converged(CONVERGED_MS);
  expect(takenUpMs, 'from the kill to the next run of its work').toBeLessThan(TAKEN_UP_MS);
}

/** The object that came with the point before leaves with this one. */
function leaving(history: WorkHistory, point: string): Readonly<Record<string, null>> {
  const mine = history.wanted().find((one) => one.id.includes('_new-') || one.id.includes('_spare_'));
  const name = mine?.id.split('_')[1];
  return name === undefined || name === `new-${point}` ? {} : { [name]: null };
}
