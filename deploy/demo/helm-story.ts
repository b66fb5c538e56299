import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JsonObject, textAt } from '#core/json.ts';
import type { RunningCluster } from '#deploy/local/cluster.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import type { RegistryServer } from '#deploy/local/registry.ts';
import type { DemoObject, TenantPlan } from './definitions.ts';
import { type ChartPusher, chartPusher } from './helm-charts.ts';
import type { Narrator } from './narrator.ts';
import type { People } from './people.ts';
import { collectionPath, expectPlane, type PlaneUser } from './plane-client.ts';
import { create, readyCondition, type Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import { median, until } from './until.ts';

/** Releases that were installed, upgraded and rolled back, each counted as seen on its cluster, and how long healing took. */
export type HelmTold = Readonly<{
  installed: number;
  upgraded: number;
  rolledBack: number;
  driftHealMs: number;
  installMs: number;
  upgradeMs: number;
}>;

type Parts = Readonly<{ stage: Stage; alice: PlaneUser; plan: TenantPlan; charts: ChartPusher }>;

const NAME = 'store';
const LIMIT_MS = 60_000;
const ROUNDS = 3;
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const HELM = 'helm.toolkit.fluxcd.io/v2';

/** A chart from an OCI registry on both clusters: installed, upgraded by a new version, a failing upgrade rolled back, damage healed. */
export async function tellHelm(
  stage: Stage,
  registry: RegistryServer,
  people: People,
  { teamA }: Scene,
  narrator: Narrator,
): Promise<HelmTold> {
  const dir = join(stage.dir, 'charts');
  await mkdir(dir, { recursive: true });
  const charts = chartPusher({ helm: stage.tools.helm, registry, dir, caFile: stage.authority.certificateFile });
  const parts = { stage, alice: people.alice, plan: teamA, charts };
  const installing = narrator.step('helm: a chart is pushed to an OCI registry and installed on both clusters');
  await charts.push('1.0.0', { broken: false });
  const startedMs = performance.now();
  for (const object of definitions(teamA, registry, charts.url, stage.authority.certificatePem)) await create(people.alice, object);
  const installed = await everywhere(parts, '1.0.0');
  const installMs = Math.round(performance.now() - startedMs);
  installing({ installed, installMs });
  const upgrading = narrator.step('helm: a new chart version upgrades both');
  await charts.push('1.1.0', { broken: false });
  const pushedMs = performance.now();
  await lookAgain(parts);
  const upgraded = await everywhere(parts, '1.1.0');
  const upgradeMs = Math.round(performance.now() - pushedMs);
  upgrading({ upgraded, upgradeMs });
  const failing = narrator.step('helm: a version that cannot be applied fails and is rolled back on both');
  await charts.push('1.2.0', { broken: true });
  await lookAgain(parts);
  const rolledBack = await remediated(parts);
  failing({ rolledBack });
  await charts.push('1.3.0', { broken: false });
  await lookAgain(parts);
  await everywhere(parts, '1.3.0');
  const driftHealMs = await drift(parts, narrator);
  return { installed, upgraded, rolledBack, driftHealMs, installMs, upgradeMs };
}

function definitions(plan: TenantPlan, registry: RegistryServer, url: string, caPem: string): readonly DemoObject[] {
  const { namespace } = plan;
  const login = Buffer.from(`${registry.username}:${registry.password}`).toString('base64');
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'registry-login', namespace },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [registry.host]: { auth: login } } }) },
    },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'registry-ca', namespace }, stringData: { 'ca.crt': caPem } },
    {
      apiVersion: SOURCE,
      kind: 'OCIRepository',
      metadata: { name: NAME, namespace },
      spec: {
        url,
        interval: '10m',
        ref: { semver: '>=1.0.0' },
        layerSelector: { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', operation: 'copy' },
        secretRef: { name: 'registry-login' },
        certSecretRef: { name: 'registry-ca' },
      },
    },
    {
      apiVersion: 'weir.dev/v1',
      kind: 'Placement',
      metadata: { name: `${NAME}-everywhere`, namespace },
      spec: { definitions: { kinds: ['HelmRelease'], names: [NAME] }, clusters: { selector: { matchLabels: { env: 'demo' } } } },
    },
    {
      apiVersion: HELM,
      kind: 'HelmRelease',
      metadata: { name: NAME, namespace },
      spec: {
        chartRef: { kind: 'OCIRepository', name: NAME },
        interval: '10m',
        timeout: '1m',
        releaseName: NAME,
        targetNamespace: plan.clusterNamespace,
        values: { greeting: 'hello from helm' },
        driftDetection: { mode: 'enabled' },
        upgrade: { remediation: { retries: 0, remediateLastFailure: true } },
      },
    },
  ];
}

/** What `weir reconcile` does: the next look is now, not in ten minutes. */
async function lookAgain({ alice, plan }: Parts): Promise<void> {
  const annotations = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
  await expectPlane(
    alice,
    'PATCH',
    `${collectionPath(SOURCE, 'OCIRepository', plan.namespace)}/${NAME}`,
    { metadata: { annotations } },
    'application/merge-patch+json',
  );
}

/** Waits until every cluster holds this chart version and the release is Ready; answers how many do. */
async function everywhere(parts: Parts, version: string): Promise<number> {
  await Promise.all(
    parts.stage.clusters.map((cluster) =>
      until(
        `chart ${version} on ${cluster.name}`,
        LIMIT_MS,
        20,
        async () => (isVersion(await settingOn(parts, cluster, 'version'), version) ? true : null),
        () => shown(parts),
      ),
    ),
  );
  await until(
    `${NAME} Ready`,
    LIMIT_MS,
    20,
    async () => (readyCondition(await release(parts))?.status === 'True' ? true : null),
    () => shown(parts),
  );
  return parts.stage.clusters.length;
}

/** Waits until both releases say that they were rolled back and the clusters hold the version before; answers how many did. */
async function remediated(parts: Parts): Promise<number> {
  await until(
    'the failed upgrade is rolled back',
    LIMIT_MS,
    20,
    async () => (readyCondition(await release(parts))?.reason === 'RetriesExceeded' ? true : null),
    () => shown(parts),
  );
  const versions = await Promise.all(parts.stage.clusters.map((cluster) => settingOn(parts, cluster, 'version')));
  if (versions.some((version) => !isVersion(version, '1.1.0'))) throw new Error(`after the rollback the clusters hold ${versions.join(', ')}`);
  return versions.length;
}

async function drift(parts: Parts, narrator: Narrator): Promise<number> {
  const done = narrator.step(`helm: an object of the release is changed by hand ${ROUNDS} times and comes back`);
  const [cluster] = parts.stage.clusters;
  if (cluster === undefined) throw new Error('no cluster');
  const took: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const damage = await callCluster(cluster.admin, {
      method: 'PATCH',
      path: settingsPath(parts.plan),
      body: { data: { greeting: 'tampered' } },
      contentType: 'application/merge-patch+json',
    });
    if (damage.status > 299) throw new Error(`the operator's change was answered with ${damage.status}`);
    const damagedMs = performance.now();
    await until(
      'the release is healed',
      LIMIT_MS,
      10,
      async () => ((await settingOn(parts, cluster, 'greeting')) === 'hello from helm' ? true : null),
      () => shown(parts),
    );
    took.push(performance.now() - damagedMs);
    await sleep(300);
  }
  const driftHealMs = median(took);
  done({ driftHealMs, all: took.map(Math.round) });
  return driftHealMs;
}

/** A chart of an OCIRepository carries its digest as build metadata: `1.0.0+c517da6d50cd`. */
function isVersion(found: string | undefined, wanted: string): boolean {
  return found?.split('+')[0] === wanted;
}

function settingsPath(plan: TenantPlan): string {
  return `/api/v1/namespaces/${plan.clusterNamespace}/configmaps/${NAME}-settings`;
}

async function settingOn({ plan }: Parts, cluster: RunningCluster, key: string): Promise<string | undefined> {
  const { body } = await callCluster(cluster.admin, { method: 'GET', path: settingsPath(plan) });
  return textAt(body as JsonObject, 'data', key);
}

function release({ alice, plan }: Parts): Promise<JsonObject> {
  return expectPlane(alice, 'GET', `${collectionPath(HELM, 'HelmRelease', plan.namespace)}/${NAME}`);
}

async function shown(parts: Parts): Promise<string> {
  const source = await expectPlane(parts.alice, 'GET', `${collectionPath(SOURCE, 'OCIRepository', parts.plan.namespace)}/${NAME}`);
  return JSON.stringify([readyCondition(source), readyCondition(await release(parts))]);
}
