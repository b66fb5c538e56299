import { randomBytes } from 'node:crypto';
import { readConditions } from '#core/conditions.ts';
import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import { commonObjects, type DemoObject, kustomization, placement, type TenantPlan, tenantObject } from './definitions.ts';
import type { Narrator } from './narrator.ts';
import { onboardCluster } from './onboard.ts';
import type { People } from './people.ts';
import { collectionPath, expectPlane, type PlaneUser } from './plane-client.ts';
import { podinfoFiles, shopFiles } from './samples.ts';
import type { Stage } from './stage.ts';
import { until } from './until.ts';

export type Scene = Readonly<{ teamA: TenantPlan; teamB: TenantPlan; deliveries: number; objects: number; firstSyncMs: number }>;

const SYNC_MS = 120_000;

export function tenantPlans(): Readonly<{ teamA: TenantPlan; teamB: TenantPlan }> {
  const plan = (letter: string, repository: string): TenantPlan => ({
    name: `team-${letter}`,
    namespace: `team-${letter}`,
    clusterNamespace: `apps-${letter}`,
    repository,
    login: { username: `team-${letter}`, password: randomBytes(12).toString('hex') },
    webhookToken: randomBytes(24).toString('hex'),
  });
  return { teamA: plan('a', 'podinfo'), teamB: plan('b', 'shop') };
}

/** From empty parts to everything Ready: repositories, tenants, clusters, definitions. */
export async function setScene(stage: Stage, people: People, narrator: Narrator, planeKubeconfig: string): Promise<Scene> {
  const { teamA, teamB } = tenantPlans();
  const sources = narrator.step('git: two repositories with their first commits');
  await Promise.all([makeRepository(stage, teamA, podinfoFiles()), makeRepository(stage, teamB, shopFiles())]);
  sources({ url: stage.git.url });
  const tenants = narrator.step('platform admin creates two tenants');
  for (const [plan, member] of [
    [teamA, 'alice'],
    [teamB, 'bob'],
  ] as const)
    await create(people.pat, tenantObject(plan, [{ subject: member, role: 'admin' }]));
  tenants();
  const onboarding = narrator.step('operator onboards both clusters: weir cluster onboard');
  for (const cluster of stage.clusters) await onboardCluster(cluster, planeKubeconfig, [teamA, teamB], stage.dir);
  await Promise.all(stage.clusters.map((cluster) => setVariables(people.pat, cluster.name)));
  onboarding();
  const startedMs = Date.now();
  const applying = narrator.step('both tenants apply their definitions through the API');
  const caPem = stage.authority.certificatePem;
  for (const object of [...commonObjects(teamA, stage.git.urlOf(teamA.repository), caPem), ...definitionsOfA(teamA)])
    await create(people.alice, object);
  for (const object of [...commonObjects(teamB, stage.git.urlOf(teamB.repository), caPem), ...definitionsOfB(teamB)])
    await create(people.bob, object);
  applying();
  const syncing = narrator.step('every delivery becomes Ready, with real replicas');
  const deliveries = await allReady(people, [teamA, teamB], 5);
  const firstSyncMs = Date.now() - startedMs;
  const objects = deliveries.reduce((sum, one) => sum + inventoryCount(one), 0);
  syncing({ deliveries: deliveries.length, objects });
  await Promise.all([hookUp(stage, people.alice, teamA), hookUp(stage, people.bob, teamB)]);
  return { teamA, teamB, deliveries: deliveries.length, objects, firstSyncMs };
}

async function makeRepository(stage: Stage, plan: TenantPlan, files: Readonly<Record<string, string>>): Promise<void> {
  await stage.git.createRepository(plan.repository, {
    access: { readers: 'credentials', credentials: [{ scheme: 'basic', ...plan.login, mayPush: false }] },
    files,
  });
}

function definitionsOfA(plan: TenantPlan): readonly DemoObject[] {
  const targetNamespace = plan.clusterNamespace;
  return [
    placement(plan, 'everywhere', ['podinfo'], { selector: { matchLabels: { env: 'demo' } } }),
    placement(plan, 'north-only', ['podinfo-staging'], { names: ['north'] }),
    kustomization(plan, { name: 'podinfo', path: './deploy/overlays/production', targetNamespace }),
    kustomization(plan, { name: 'podinfo-staging', path: './deploy/overlays/staging', targetNamespace }),
  ];
}

function definitionsOfB(plan: TenantPlan): readonly DemoObject[] {
  return [
    placement(plan, 'everywhere', ['shop'], { selector: { matchLabels: { env: 'demo' } } }),
    kustomization(plan, { name: 'shop', path: './manifests', targetNamespace: plan.clusterNamespace }),
  ];
}

export async function create(user: PlaneUser, object: DemoObject): Promise<void> {
  await expectPlane(
    user,
    'POST',
    collectionPath(object.apiVersion, object.kind, object.metadata.namespace),
    object as unknown as JsonObject,
  );
}

async function setVariables(user: PlaneUser, cluster: string): Promise<void> {
  const path = `${collectionPath('weir.dev/v1', 'Cluster', 'weir-system')}/${cluster}`;
  await expectPlane(user, 'PATCH', path, { spec: { variables: { region: cluster } } }, 'application/merge-patch+json');
}

/** Deliveries of the tenants, all Ready, or an error that quotes what is missing. */
async function allReady(people: People, plans: readonly TenantPlan[], expected: number): Promise<readonly JsonObject[]> {
  const list = async (): Promise<readonly JsonObject[]> => {
    const lists = await Promise.all(plans.map((plan, index) => deliveriesOf(index === 0 ? people.alice : people.bob, plan)));
    return lists.flat();
  };
  return until(
    'all deliveries Ready',
    SYNC_MS,
    100,
    async () => {
      const found = await list();
      return found.length >= expected && found.every(isReady) ? found : null;
    },
    async () => JSON.stringify((await list()).map((one) => [textAt(one, 'metadata', 'name'), readyMessage(one)])),
  );
}

export async function deliveriesOf(user: PlaneUser, plan: TenantPlan): Promise<readonly JsonObject[]> {
  const body = await expectPlane(user, 'GET', collectionPath('weir.dev/v1', 'Delivery', plan.namespace));
  const items = at(body, 'items');
  return Array.isArray(items) ? items.filter((one: Json) => isObject(one)) : [];
}

function isReady(delivery: JsonObject): boolean {
  return readyCondition(delivery)?.status === 'True';
}

function readyMessage(delivery: JsonObject): string {
  return readyCondition(delivery)?.message ?? 'no condition yet';
}

export function readyCondition(object: JsonObject) {
  const status = at(object, 'status');
  return readConditions(isObject(status) ? status : null).find((one) => one.type === 'Ready');
}

function inventoryCount(delivery: JsonObject): number {
  const entries = at(delivery, 'status', 'inventory', 'entries');
  return Array.isArray(entries) ? entries.length : 0;
}

/** The git server calls the tenant's Receiver after each push. */
async function hookUp(stage: Stage, user: PlaneUser, plan: TenantPlan): Promise<void> {
  const path = await until('webhook path', 30_000, 100, async () => {
    const receiver = await expectPlane(
      user,
      'GET',
      `${collectionPath('notification.toolkit.fluxcd.io/v1', 'Receiver', plan.namespace)}/git-push`,
    );
    return textAt(receiver, 'status', 'webhookPath') ?? null;
  });
  await stage.git.setWebhooks(plan.repository, [
    {
      type: 'generic-hmac',
      url: new URL(path, stage.plane.url).toString(),
      secret: plan.webhookToken,
      caPem: stage.authority.certificatePem,
    },
  ]);
}
