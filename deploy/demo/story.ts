import { setTimeout as sleep } from 'node:timers/promises';
import { type JsonObject, textAt } from '#core/json.ts';
import type { RunningCluster } from '#deploy/local/cluster.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import { kustomization } from './definitions.ts';
import type { Narrator } from './narrator.ts';
import type { People } from './people.ts';
import { callPlane, collectionPath, expectPlane } from './plane-client.ts';
import { settings } from './samples.ts';
import { create, readyCondition, type Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import { median, until } from './until.ts';

export type Told = Readonly<{ pushToAppliedMs: number; driftHealMs: number; pruneMs: number; refusals: readonly Refusal[] }>;
export type Refusal = Readonly<{ what: string; answer: string }>;

const ROUNDS = 5;
const LOOK_MS = 10;
const LIMIT_MS = 20_000;

/** What the demo shows, measured: a push arrives, damage is healed, a removed file is pruned, and the other tenant is refused. */
export async function tellStory(stage: Stage, people: People, scene: Scene, narrator: Narrator): Promise<Told> {
  const pushToAppliedMs = await pushes(stage, scene, narrator);
  const driftHealMs = await drift(stage, scene, narrator);
  const pruneMs = await prune(stage, scene, narrator);
  const refusals = await refused(people, scene, narrator);
  return { pushToAppliedMs, driftHealMs, pruneMs, refusals };
}

async function pushes(stage: Stage, scene: Scene, narrator: Narrator): Promise<number> {
  const done = narrator.step(`a commit is pushed ${ROUNDS} times and arrives on both clusters`);
  const { repository, clusterNamespace } = scene.teamA;
  const took: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const greeting = `hello-${round}`;
    await stage.git.commitFiles(
      repository,
      'main',
      { 'deploy/base/settings.yaml': settings('podinfo', greeting) },
      `Greet with ${greeting}`,
    );
    const pushedMs = performance.now();
    await Promise.all(
      stage.clusters.map((cluster) =>
        until(`${greeting} on ${cluster.name}`, LIMIT_MS, LOOK_MS, async () =>
          (await greetingOn(cluster, clusterNamespace)) === greeting ? true : null,
        ),
      ),
    );
    took.push(performance.now() - pushedMs);
    await sleep(300);
  }
  const value = median(took);
  done({ pushToAppliedMs: value, all: took.map(Math.round) });
  return value;
}

async function greetingOn(cluster: RunningCluster, namespace: string): Promise<string | undefined> {
  const { body } = await callCluster(cluster.admin, { method: 'GET', path: `/api/v1/namespaces/${namespace}/configmaps/podinfo-settings` });
  return textAt(body as JsonObject, 'data', 'greeting');
}

async function drift(stage: Stage, scene: Scene, narrator: Narrator): Promise<number> {
  const done = narrator.step(`objects are changed and deleted by hand ${ROUNDS} times each and come back`);
  const [cluster] = stage.clusters;
  if (cluster === undefined) throw new Error('no cluster');
  const namespace = scene.teamA.clusterNamespace;
  const took: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    took.push(
      await healed(
        cluster,
        `/apis/apps/v1/namespaces/${namespace}/deployments/podinfo`,
        'PATCH',
        { spec: { replicas: 0 } },
        (live) => at(live, 'spec', 'replicas') === 2,
      ),
    );
    took.push(
      await healed(
        cluster,
        `/api/v1/namespaces/${namespace}/configmaps/podinfo-settings`,
        'PATCH',
        { data: { greeting: 'tampered' } },
        (live) => at(live, 'data', 'greeting') !== 'tampered' && at(live, 'data', 'greeting') !== undefined,
      ),
    );
    took.push(
      await healed(
        cluster,
        `/api/v1/namespaces/${namespace}/services/podinfo`,
        'DELETE',
        undefined,
        (live) => at(live, 'kind') === 'Service' && at(live, 'metadata', 'deletionTimestamp') === undefined,
      ),
    );
  }
  const value = median(took);
  done({ driftHealMs: value, all: took.map(Math.round) });
  return value;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) current = typeof current === 'object' && current !== null ? Reflect.get(current, key) : undefined;
  return current;
}

async function healed(
  cluster: RunningCluster,
  path: string,
  method: 'PATCH' | 'DELETE',
  body: unknown,
  isWhole: (live: unknown) => boolean,
): Promise<number> {
  const damage = await callCluster(cluster.admin, {
    method,
    path,
    ...(body === undefined ? {} : { body, contentType: 'application/merge-patch+json' }),
  });
  if (damage.status > 299) throw new Error(`${method} ${path} by the operator: ${damage.status}`);
  const damagedMs = performance.now();
  await until(`${path} healed`, LIMIT_MS, LOOK_MS, async () =>
    isWhole((await callCluster(cluster.admin, { method: 'GET', path })).body) ? true : null,
  );
  const tookMs = performance.now() - damagedMs;
  await sleep(200);
  return tookMs;
}

async function prune(stage: Stage, scene: Scene, narrator: Narrator): Promise<number> {
  const done = narrator.step('a file is removed from git and its object is pruned on both clusters');
  const { repository, clusterNamespace } = scene.teamB;
  await stage.git.commitFiles(repository, 'main', { 'manifests/banner.yaml': null }, 'Remove the banner');
  const pushedMs = performance.now();
  await Promise.all(
    stage.clusters.map((cluster) =>
      until(`banner gone on ${cluster.name}`, LIMIT_MS, LOOK_MS, async () => {
        const { status } = await callCluster(cluster.admin, {
          method: 'GET',
          path: `/api/v1/namespaces/${clusterNamespace}/configmaps/shop-banner`,
        });
        return status === 404 ? true : null;
      }),
    ),
  );
  const pruneMs = Math.round(performance.now() - pushedMs);
  done({ pruneMs });
  return pruneMs;
}

/** Each thing that tenant A may and tenant B may not. Throws when one of them is not refused. */
async function refused(people: People, scene: Scene, narrator: Narrator): Promise<readonly Refusal[]> {
  const done = narrator.step('tenant B is refused where tenant A may');
  const { teamA } = scene;
  const kustomizations = collectionPath('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', teamA.namespace);
  const allowed = await callPlane(people.alice, 'GET', `${kustomizations}/podinfo`);
  if (allowed.status !== 200) throw new Error(`alice may read her own Kustomization, the answer was ${allowed.status}`);
  const refusals: Refusal[] = [];
  for (const [what, method, path, status] of [
    ['bob reads a Kustomization of team-a', 'GET', `${kustomizations}/podinfo`, 404],
    ['bob lists the namespace of team-a', 'GET', kustomizations, 403],
    ['bob reads a Secret of team-a', 'GET', `${collectionPath('v1', 'Secret', teamA.namespace)}/git-login`, 404],
    ['bob deletes a Kustomization of team-a', 'DELETE', `${kustomizations}/podinfo`, 404],
  ] as const) {
    const answer = await callPlane(people.bob, method, path);
    if (answer.status !== status) throw new Error(`${what}: expected ${status}, got ${answer.status}`);
    refusals.push({ what, answer: `${answer.status} ${textAt(answer.body, 'message') ?? ''}` });
  }
  refusals.push(await intrusion(people, scene));
  done({ refusals: refusals.length });
  for (const one of refusals) narrator.say(`           ${one.what}: ${one.answer}`);
  return refusals;
}

/** Bob writes a Kustomization that aims at team-a's namespace on the clusters: it is refused before any request. */
async function intrusion(people: People, { teamA, teamB }: Scene): Promise<Refusal> {
  const name = 'intruder';
  const path = `${collectionPath('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', teamB.namespace)}/${name}`;
  await create(people.bob, {
    apiVersion: 'weir.dev/v1',
    kind: 'Placement',
    metadata: { name, namespace: teamB.namespace },
    spec: { definitions: { kinds: ['Kustomization'], names: [name] }, clusters: { names: ['north'] } },
  });
  await create(people.bob, kustomization(teamB, { name, path: './manifests', targetNamespace: teamA.clusterNamespace, wait: false }));
  const message = await until('the intruder is refused', LIMIT_MS, 50, async () => {
    const ready = readyCondition(await expectPlane(people.bob, 'GET', path));
    return ready !== undefined && ready.status === 'False' ? `${ready.reason}: ${ready.message}` : null;
  });
  await expectPlane(people.bob, 'DELETE', path);
  await expectPlane(people.bob, 'DELETE', `${collectionPath('weir.dev/v1', 'Placement', teamB.namespace)}/${name}`);
  return { what: `bob's Kustomization aims at ${teamA.clusterNamespace}`, answer: message };
}
