import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#deploy/demo/until.ts';
import { idOf, writesOf } from '#tests/harness/fault-cluster.ts';
import type { FaultParts } from '#tests/harness/fault-parts.ts';
import { LEASE_MS } from '#tests/harness/fault-plane.ts';
import { inventoryIds, readRows, unitRows } from '#tests/harness/fault-rows.ts';
import { type FaultStage, startFaultStage } from '#tests/harness/fault-stage.ts';
import { filesOf, openHistory, type WorkHistory } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/**
 * Fault 1 of reliability.md with the plane as many processes: the kustomize worker alone dies at a failpoint, and API, scheduler, Redis and the other workers live on. Redis keeps the dead
 * worker's job as active, and PostgreSQL its lease: another worker takes the work up when both are over, and applies nothing twice.
 */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage; parts: FaultParts; history: WorkHistory; worker: number } = {} as never;
const FIRST = { a: '0', b: '0', c: '0', spare: '0' };
/** The lease, one look for dead workers' jobs, and what starting and a busy machine take. */
const TAKEN_UP_MS = LEASE_MS * 1.25 + 3_000;
const CONVERGED_MS = 20_000;
const AFTER_INTENT = ['r6', 'r7', 'r10'];

beforeAll(async () => {
  at.stage = await startFaultStage(children, { dir: dir(), files: filesOf(FIRST), stores: 'own', as: 'parts' });
  if (at.stage.parts === null) throw new Error('parts were asked for');
  at.parts = at.stage.parts;
  at.worker = 0;
  at.history = await openHistory(at.stage, FIRST);
  await at.history.converged(30_000);
});

afterAll(async () => {
  at.history.stop();
  await at.stage.stop();
});

const nameOf = (number: number) => (number === 0 ? 'worker-kustomize' : (`worker-kustomize/${number}` as const));

describe('the kustomize worker alone is killed at', () => {
  it.each(['r1', 'r2', 'r6', 'r7', 'r10', 'r12'])('%s', async (point) => {
    const { stage, parts, history } = at;
    const url = await stage.databaseUrl();
    // Work of before would kill the next worker before it is ready.
    await until('nothing is in hand', CONVERGED_MS, 20, async () =>
      (await unitRows(url)).some((one) => one.kind === 'Kustomization' && (one.isDue || one.isLeased)) ? null : true,
    );
    await parts.kill(nameOf(at.worker));
    at.worker += 1;
    const dying = nameOf(at.worker);
    expect(await parts.start(dying, { WEIR_FAILPOINT: `${point}:kill` }), 'it lives until there is work').toBe(true);
    // One object that changes, one that comes, one that leaves: every step of a delivery has something to do.
    await history.commit({ a: point, b: point, [`new-${point}`]: point, ...leaving(point) });
    await history.trigger();
    await parts.died(dying);
    const units = (await unitRows(url)).filter((one) => one.kind === 'Kustomization' && one.cluster !== null);
    const fences = new Map(units.map((one) => [one.unit, one.fence]));
    const inventory = await inventoryIds(url);
    expect(await history.violations(inventory), 'at the moment of the kill').toEqual([]);
    if (AFTER_INTENT.includes(point))
      expect(inventory, 'intended before the first apply').toContain(idOf(stage.tenant.clusterNamespace, `new-${point}`));
    const open = units.filter((one) => one.isDue || one.isLeased);
    at.worker += 1;
    await parts.start(nameOf(at.worker));
    await until('taken up', TAKEN_UP_MS, 20, async () => {
      const now = await unitRows(url);
      return open.every((one) => (now.find((each) => each.unit === one.unit)?.fence ?? 0) > (fences.get(one.unit) ?? 0)) ? true : null;
    });
    await history.converged(CONVERGED_MS);
    expect(await appliedTwice(stage, `new-${point}`, point), 'writes of one object after it was confirmed').toEqual([]);
    for (const name of ['api', 'scheduler', 'worker-source', 'worker-fleet']) expect(parts.isRunning(name), name).toBe(true);
  });
});

/** Ledger rows are one for each fence: two of one fence would be two writers. And the object that came was made once. */
async function appliedTwice(stage: FaultStage, name: string, point: string): Promise<readonly string[]> {
  const url = await stage.databaseUrl();
  const doubled = await readRows<{ unit_id: string; fence: string }>(
    url,
    'select unit_id, fence::text from weir.ledger group by unit_id, fence having count(*) > 1',
  );
  const id = idOf(stage.tenant.clusterNamespace, name);
  const writes = (await writesOf(stage.cluster)).filter((one) => one.id === id);
  // A run that died between the API server's answer and its note of it cannot know: at most the next run sends the same once more.
  const most = point === 'r7' ? 2 : 1;
  return [
    ...doubled.map((one) => `${one.unit_id} has two entries of fence ${one.fence}`),
    ...(writes.length > most ? [`${id}: ${writes.length} writes`] : []),
  ];
}

/** The object that came with the point before leaves with this one. */
function leaving(point: string): Readonly<Record<string, null>> {
  const mine = at.history.wanted().find((one) => one.id.includes('_new-') || one.id.includes('_spare_'));
  const name = mine?.id.split('_')[1];
  return name === undefined || name === `new-${point}` ? {} : { [name]: null };
}

it('a scheduler and a worker say on their health port whether they are ready', async () => {
  const { stage, parts } = at;
  for (const name of ['scheduler', 'worker-source']) {
    expect([await parts.health(name, '/healthz'), await parts.health(name, '/readyz')], name).toEqual([200, 200]);
  }
  await stage.own?.redis.stop();
  for (const name of ['scheduler', 'worker-source']) {
    await until('unready', 10_000, 100, async () => ((await parts.health(name, '/readyz')) === 503 ? true : null));
    expect(await parts.health(name, '/healthz'), 'alive all the same').toBe(200);
  }
});
