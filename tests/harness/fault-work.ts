import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { collectionPath, expectPlane } from '#deploy/demo/plane-client.ts';
import { readyCondition } from '#deploy/demo/scene.ts';
import { until } from '#deploy/demo/until.ts';
import type { Revision, WantedObject } from '#tests/harness/fault-checker.ts';
import { differences, fenceReversals, lostTriggers, orphans, wrongfulDeletions } from '#tests/harness/fault-checker.ts';
import { idOf, liveObjects, type Watching, watchObjects, writesOf } from '#tests/harness/fault-cluster.ts';
import { inventoryIds, unitRows } from '#tests/harness/fault-rows.ts';
import type { FaultStage } from '#tests/harness/fault-stage.ts';

const SOURCE = 'source.toolkit.fluxcd.io/v1';
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

/** The manifest of a ConfigMap whose only content is one value. */
export function configMap(name: string, value: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  value: ${JSON.stringify(value)}\n`;
}

/** Files of ConfigMaps by name, as the repository holds them. */
export function filesOf(values: Readonly<Record<string, string>>, folder = ''): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${folder}${name}.yaml`, configMap(name, value)]));
}

/** What the repository said and what was asked, so that the checker can compare. */
export type WorkHistory = Readonly<{
  /** Commits the next state of the root: `null` removes a ConfigMap. */
  commit(change: Readonly<Record<string, string | null>>): Promise<void>;
  /** Asks for a look at the source. Throws when the plane did not acknowledge. */
  trigger(): Promise<void>;
  wanted(): readonly WantedObject[];
  /** Invariants that hold at every moment: INV-5, INV-6, INV-7. */
  violations(inventory: ReadonlySet<string>): Promise<readonly string[]>;
  /** Waits for INV-4 and INV-3 and then checks all of them; throws with what is wrong at the end of the time. */
  converged(timeoutMs: number): Promise<void>;
  stop(): void;
}>;

export async function openHistory(stage: FaultStage, first: Readonly<Record<string, string>>): Promise<WorkHistory> {
  const { tenant, git, cluster } = stage;
  const id = (name: string) => idOf(tenant.clusterNamespace, name);
  const state = { values: new Map(Object.entries(first)), asked: 0 };
  const revisions: Revision[] = [{ fromMs: 0, ids: new Set([...state.values.keys()].map(id)) }];
  const acknowledged: string[] = [];
  const watching: Watching = await watchObjects(cluster.admin);
  const wanted = () => [...state.values].map(([name, content]) => ({ id: id(name), content }));
  const violations = async (inventory: ReadonlySet<string>): Promise<readonly string[]> => {
    const [live, writes] = await Promise.all([liveObjects(cluster.admin), writesOf(cluster)]);
    const deletions = writes.filter((one) => one.verb.startsWith('delete'));
    const ours = new Set([...inventory, ...writes.filter((one) => !one.verb.startsWith('delete')).map((one) => one.id)]);
    return [...orphans(live, inventory), ...wrongfulDeletions(deletions, revisions, ours), ...fenceReversals(watching.seen())];
  };
  const open = async (): Promise<readonly string[]> => {
    const url = await stage.databaseUrl();
    const [live, units] = await Promise.all([liveObjects(cluster.admin), unitRows(url)]);
    const mine = units.filter((one) => one.definition === 'work');
    const source = await sourceStatus(stage);
    return [...differences(live, wanted()), ...lostTriggers(acknowledged, textAt(source, 'lastHandledReconcileAt') ?? null, mine)];
  };
  return {
    commit: async (change) => {
      for (const [name, value] of Object.entries(change)) {
        if (value === null) state.values.delete(name);
        else state.values.set(name, value);
      }
      // Before the push: from then on the plane may know it.
      revisions.push({ fromMs: Date.now(), ids: new Set([...state.values.keys()].map(id)) });
      const files = Object.entries(change).map(
        ([name, value]) => [`${name}.yaml`, value === null ? null : configMap(name, value)] as const,
      );
      await git.commitFiles(tenant.repository, 'main', Object.fromEntries(files));
    },
    trigger: async () => {
      state.asked += 1;
      const token = `ask-${state.asked}-${Date.now()}`;
      await annotate(stage, SOURCE, 'GitRepository', tenant.repository, { [REQUESTED_AT]: token });
      acknowledged.push(token);
    },
    wanted,
    violations,
    converged: async (timeoutMs) => {
      const last: { open: readonly string[] } = { open: [] };
      await until(
        'converged',
        timeoutMs,
        50,
        async () => {
          last.open = await open().catch((error: unknown) => [String(error)]);
          return last.open.length === 0 ? true : null;
        },
        async () => JSON.stringify({ open: last.open.slice(0, 10), status: await conditionOf(stage, 'work').catch(String) }),
      );
      const found = await violations(await inventoryIds(await stage.databaseUrl()));
      if (found.length > 0) throw new Error(`violations: ${found.join('; ')}`);
    },
    stop: watching.stop,
  };
}

async function sourceStatus(stage: FaultStage): Promise<JsonObject> {
  const { tenant } = stage;
  const object = await expectPlane(
    stage.alice(),
    'GET',
    `${collectionPath(SOURCE, 'GitRepository', tenant.namespace)}/${tenant.repository}`,
  );
  const status = at(object, 'status');
  return isObject(status) ? status : {};
}

/** Reason and message of a Kustomization's (or the source's) Ready condition. */
export async function conditionOf(
  stage: FaultStage,
  name: string,
  kind: 'Kustomization' | 'GitRepository' = 'Kustomization',
): Promise<Readonly<{ status: string; reason: string; message: string }>> {
  const path = collectionPath(kind === 'Kustomization' ? KUSTOMIZE : SOURCE, kind, stage.tenant.namespace);
  const ready = readyCondition(await expectPlane(stage.alice(), 'GET', `${path}/${name}`));
  return { status: ready?.status ?? '', reason: ready?.reason ?? '', message: ready?.message ?? '' };
}

/** Sets annotations on one of the tenant's objects. */
export async function annotate(
  stage: FaultStage,
  apiVersion: string,
  kind: string,
  name: string,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const path = `${collectionPath(apiVersion, kind, stage.tenant.namespace)}/${name}`;
  await expectPlane(stage.alice(), 'PATCH', path, { metadata: { annotations } }, 'application/merge-patch+json');
}
