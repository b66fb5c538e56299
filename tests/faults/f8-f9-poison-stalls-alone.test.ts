import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DemoObject, placement } from '#deploy/demo/definitions.ts';
import { until } from '#deploy/demo/until.ts';
import { liveObjects } from '#tests/harness/fault-cluster.ts';
import { unitRows } from '#tests/harness/fault-rows.ts';
import { type FaultStage, faultTenant, startFaultStage, work } from '#tests/harness/fault-stage.ts';
import { annotate, conditionOf, configMap } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** Faults 8 and 9 of reliability.md: poison definitions stall alone, each with its reason, and waiting holds no slot, while twenty others go on. */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage } = {} as never;
const OTHERS = Array.from({ length: 20 }, (_, index) => `ok-${index}`);
const ROOT = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const POISON: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  broken: { 'kustomization.yaml': `${ROOT}resources: [a.yaml]\n`, 'a.yaml': 'kind: ConfigMap\napiVersion: v1\nmetadata: [\n' },
  endless: { 'kustomization.yaml': `${ROOT}resources: [../endless-2]\n` },
  'endless-2': { 'kustomization.yaml': `${ROOT}resources: [../endless]\n` },
  bomb: { 'kustomization.yaml': `${ROOT}resources: [a.yaml]\n`, 'a.yaml': bomb() },
  huge: { 'kustomization.yaml': `${ROOT}resources: [a.yaml]\n`, 'a.yaml': many(12_000) },
};
const BAD = ['broken', 'endless', 'bomb', 'huge'];
const CYCLE = ['cycle-1', 'cycle-2'];

beforeAll(async () => {
  const folders = Object.entries(POISON).flatMap(([folder, files]) =>
    Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text] as const),
  );
  const good = OTHERS.map((name) => [`${name}/a.yaml`, configMap(name, '0')] as const);
  at.stage = await startFaultStage(children, {
    dir: dir(),
    files: { ...Object.fromEntries([...folders, ...good]), 'kustomization.yaml': `${ROOT}resources: [ok-0/a.yaml]\nnamePrefix: root-\n` },
    stores: 'embedded',
    definitions: [
      placement(faultTenant, 'all', [...BAD, ...CYCLE, 'cycle-self', ...OTHERS], { names: ['east'] }),
      ...BAD.map((name) => work(faultTenant, name, `./${name}`)),
      ...cycle(),
      ...OTHERS.map((name) => work(faultTenant, name, `./${name}`)),
    ],
  });
});

afterAll(async () => {
  await at.stage.stop();
});

it('twenty sound definitions become ready beside them, and go on', async () => {
  await allReady(20_000);
  await at.stage.git.commitFiles(
    faultTenant.repository,
    'main',
    Object.fromEntries(OTHERS.map((name) => [`${name}/a.yaml`, configMap(name, '1')])),
  );
  await annotate(at.stage, 'source.toolkit.fluxcd.io/v1', 'GitRepository', faultTenant.repository, {
    'reconcile.fluxcd.io/requestedAt': 'again',
  });
  await until('the next commit arrives', 20_000, 50, async () => {
    const live = await liveObjects(at.stage.cluster.admin);
    return live.filter((one) => one.content === '1' && !one.id.includes('root-')).length === OTHERS.length ? true : null;
  });
  expect(at.stage.plane().process.isRunning()).toBe(true);
});

it.each(BAD)('%s is reported with a reason', async (name) => {
  const ready = await until(`${name} is reported`, 20_000, 100, async () => {
    const found = await conditionOf(at.stage, name);
    return found.status === 'False' ? found : null;
  });
  expect(ready.message).not.toMatch(/^internal error|^$/);
});

it('a cycle of dependsOn and one that waits for itself hold no slot, and say what they wait for', async () => {
  for (const name of [...CYCLE, 'cycle-self']) {
    const ready = await conditionOf(at.stage, name);
    expect(ready.status).not.toBe('True');
    expect(ready.message).toContain('cycle');
  }
  const units = await unitRows(await at.stage.databaseUrl());
  const waiting = units.filter((one) => one.definition.startsWith('cycle'));
  expect(waiting.length).toBeGreaterThanOrEqual(6);
  await until('no waiting unit is leased', 5_000, 50, async () => {
    const now = await unitRows(await at.stage.databaseUrl());
    return now.every((one) => !one.definition.startsWith('cycle') || !one.isLeased) ? true : null;
  });
});

function cycle(): readonly DemoObject[] {
  return [
    work(faultTenant, 'cycle-1', './ok-0', { dependsOn: [{ name: 'cycle-2' }] }),
    work(faultTenant, 'cycle-2', './ok-0', { dependsOn: [{ name: 'cycle-1' }] }),
    work(faultTenant, 'cycle-self', './ok-0', { dependsOn: [{ name: 'cycle-self' }] }),
  ];
}

async function allReady(timeoutMs: number): Promise<void> {
  await until('all sound ones are ready', timeoutMs, 100, async () => {
    const states = await Promise.all(OTHERS.map((name) => conditionOf(at.stage, name)));
    return states.every((one) => one.status === 'True') ? true : null;
  });
}

/** Nine levels of nine aliases each. */
function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, index) => `  l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(', ')}]`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\nx:\n  l0: &l0 [lol]\n${levels.join('\n')}\n`;
}

function many(count: number): string {
  return Array.from({ length: count }, (_, index) => configMap(`huge-${index}`, 'x'.repeat(1_000))).join('---\n');
}
