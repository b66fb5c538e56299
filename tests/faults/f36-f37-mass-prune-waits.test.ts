import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { textAt, at as valueAt } from '#core/json.ts';
import { collectionPath, expectPlane } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { liveObjects, writesOf } from '#tests/harness/fault-cluster.ts';
import { type FaultStage, startFaultStage } from '#tests/harness/fault-stage.ts';
import { annotate, conditionOf, configMap, filesOf, openHistory, type WorkHistory } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** Faults 36 and 37 of reliability.md: an empty or wrong render deletes nothing, and a mass deletion waits for exactly its own approval. */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage; history: WorkHistory } = {} as never;
const NAMES = Array.from({ length: 30 }, (_, index) => `n${String(index).padStart(2, '0')}`);
const FIRST = Object.fromEntries(NAMES.map((name) => [name, '0']));
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const APPROVE = 'weir.dev/approve-prune';

beforeAll(async () => {
  at.stage = await startFaultStage(children, { dir: dir(), files: filesOf(FIRST), stores: 'embedded' });
  at.history = await openHistory(at.stage, FIRST);
  await at.history.converged(30_000);
});

afterAll(async () => {
  at.history.stop();
  await at.stage.stop();
});

/** Each way a render can come to nothing (or not at all), and back. */
it.each([
  ['all files removed', Object.fromEntries(NAMES.map((name) => [`${name}.yaml`, null]))],
  [
    'a kustomization without resources',
    { 'kustomization.yaml': 'kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: []\n' },
  ],
  ['a kustomization that names a missing base', { 'kustomization.yaml': 'resources: [./missing]\n' }],
  ['all files ignored by rules', { '.sourceignore': '*.yaml\n' }],
  ['a render error', { 'broken.yaml': 'kind: ConfigMap\napiVersion: v1\nmetadata: [\n' }],
  ['files of 0 bytes', Object.fromEntries(NAMES.map((name) => [`${name}.yaml`, '']))],
])('%s: nothing is deleted', async (_what, change) => {
  await harmless(async () => {
    await at.stage.git.commitFiles(at.stage.tenant.repository, 'main', change);
    await at.history.trigger();
  });
  const back = Object.fromEntries(
    Object.keys(change).map((path) => [path, path.startsWith('n') ? configMap(path.slice(0, 3), '0') : null]),
  );
  await at.stage.git.commitFiles(at.stage.tenant.repository, 'main', back);
  await at.history.trigger();
  await healthy();
});

it('a wrong path: nothing is deleted', async () => {
  await harmless(() => patchSpec({ path: './nowhere' }));
  await patchSpec({ path: './' });
  await healthy();
});

it('more than half and more than 20 objects wait for the approval of that very plan; then exactly those go', async () => {
  const { stage, history } = at;
  const leaving = NAMES.slice(0, 22);
  await harmless(async () => {
    await history.commit(Object.fromEntries(leaving.map((name) => [name, null])));
    await history.trigger();
  });
  const digest = await planDigest();
  expect((await conditionOf(stage, 'work')).message).toContain(digest);
  await harmless(() => annotate(stage, KUSTOMIZE, 'Kustomization', 'work', { [APPROVE]: 'another-digest' }));
  await annotate(stage, KUSTOMIZE, 'Kustomization', 'work', { [APPROVE]: digest });
  await history.converged(15_000);
  expect(await liveObjects(stage.cluster.admin)).toHaveLength(NAMES.length - leaving.length);
});

/** After the change the definition is not ready, and for a while all lives as before. */
async function harmless(change: () => Promise<void>): Promise<void> {
  const before = { live: await liveObjects(at.stage.cluster.admin), deletes: await deletes() };
  await change();
  await until(
    'reported',
    15_000,
    50,
    async () => ((await conditionOf(at.stage, 'work')).status === 'True' ? null : true),
    () => conditionOf(at.stage, 'work').then((one) => JSON.stringify(one)),
  );
  await sleep(500);
  const live = await liveObjects(at.stage.cluster.admin);
  expect(live.map((one) => one.uid).sort()).toEqual(before.live.map((one) => one.uid).sort());
  expect(await deletes()).toBe(before.deletes);
}

async function healthy(): Promise<void> {
  await until('ready again', 15_000, 50, async () => ((await conditionOf(at.stage, 'work')).status === 'True' ? true : null));
  await at.history.converged(15_000);
}

async function deletes(): Promise<number> {
  return (await writesOf(at.stage.cluster)).filter((one) => one.verb.startsWith('delete')).length;
}

function path(): string {
  return `${collectionPath(KUSTOMIZE, 'Kustomization', at.stage.tenant.namespace)}/work`;
}

async function patchSpec(spec: Readonly<Record<string, string>>): Promise<void> {
  await expectPlane(at.stage.alice(), 'PATCH', path(), { spec }, 'application/merge-patch+json');
}

/** The digest that the delivery's status gives. */
async function planDigest(): Promise<string> {
  return until('the plan is shown', 10_000, 50, async () => {
    const list = await expectPlane(at.stage.alice(), 'GET', collectionPath('weir.dev/v1', 'Delivery', at.stage.tenant.namespace));
    const items = valueAt(list, 'items');
    const digests = Array.isArray(items) ? items.map((one) => textAt(one, 'status', 'prunePlan', 'digest') ?? '') : [];
    return digests.find((one) => one !== '') ?? null;
  });
}
