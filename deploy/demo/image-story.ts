import { randomBytes } from 'node:crypto';
import { at, type JsonObject } from '#core/json.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import { git } from '#deploy/local/git-run.ts';
import { pushImage } from '#deploy/local/push-image.ts';
import type { RegistryServer } from '#deploy/local/registry.ts';
import { type DemoObject, kustomization, placement, type TenantPlan } from './definitions.ts';
import type { Narrator } from './narrator.ts';
import type { People } from './people.ts';
import { collectionPath, expectPlane, type PlaneUser } from './plane-client.ts';
import { create, readyCondition, type Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import { median, until } from './until.ts';

/** From the push of a tag to its commit on the branch, and to the Deployment of both clusters; medians. */
export type ImageTold = Readonly<{ tagToCommitMs: number; tagToAppliedMs: number }>;

type Parts = Readonly<{ stage: Stage; registry: RegistryServer; alice: PlaneUser; plan: TenantPlan; image: string }>;

const NAME = 'released';
const FILE = 'deployment.yaml';
const ROUNDS = 3;
const LIMIT_MS = 60_000;
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const IMAGE = 'image.toolkit.fluxcd.io/v1';

/** A tag is pushed, nobody does anything else: a commit names it, and both clusters run it. The registry's Secrets are those of the part on Helm. */
export async function tellImages(
  stage: Stage,
  registry: RegistryServer,
  people: People,
  { teamA }: Scene,
  narrator: Narrator,
): Promise<ImageTold> {
  const parts = { stage, registry, alice: people.alice, plan: teamA, image: `${registry.host}/team-a/app` };
  const beginning = narrator.step('images: an application whose image is kept new: ImageRepository, ImagePolicy, ImageUpdateAutomation');
  await push(parts, '1.0.0');
  await setUp(parts);
  await everywhere(parts, '1.0.0');
  beginning();
  const telling = narrator.step(`images: a tag is pushed to the registry, ${ROUNDS} times: a commit names it, and both clusters run it`);
  const committed: number[] = [];
  const applied: number[] = [];
  for (let minor = 1; minor <= ROUNDS; minor += 1) {
    const tag = `1.${minor}.0`;
    await push(parts, tag);
    const startedMs = performance.now();
    await lookAgain(parts);
    await until(
      `the commit of ${tag}`,
      LIMIT_MS,
      20,
      async () => ((await committedFile(parts)).includes(`:${tag} #`) ? true : null),
      () => shown(parts),
    );
    committed.push(performance.now() - startedMs);
    await everywhere(parts, tag);
    applied.push(performance.now() - startedMs);
  }
  const told = { tagToCommitMs: median(committed), tagToAppliedMs: median(applied) };
  telling(told);
  const [subject] = (await git(stage.git.repositoryDir(NAME), 'log', '-1', '--format=%h %an: %s', 'main')).split('\n');
  narrator.say(`           ${subject ?? ''}`);
  return told;
}

function push({ registry, stage }: Parts, tag: string): Promise<void> {
  return pushImage({ registry, caPem: stage.authority.certificatePem, repository: 'team-a/app' }, tag, Date.now());
}

async function setUp({ stage, alice, plan, image }: Parts): Promise<void> {
  const bot = { username: 'weir-bot', password: randomBytes(12).toString('hex') };
  await stage.git.createRepository(NAME, {
    access: { readers: 'credentials', credentials: [{ scheme: 'basic', ...bot, mayPush: true }] },
    files: { [FILE]: deployment(`${image}:none # {"$imagepolicy": "${plan.namespace}:${NAME}"}`) },
  });
  const metadata = { name: NAME, namespace: plan.namespace };
  const sourceRef = { kind: 'GitRepository', name: NAME };
  const delivered = kustomization(
    { ...plan, repository: NAME },
    { name: NAME, path: './', targetNamespace: plan.clusterNamespace, wait: false },
  );
  const login = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
  const messageTemplate = '{{ range .Changed.Changes }}{{ .OldValue }} -> {{ .NewValue }}{{ end }}';
  const objects: readonly DemoObject[] = [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'git-bot', namespace: plan.namespace },
      stringData: { ...bot, 'ca.crt': stage.authority.certificatePem },
    },
    {
      apiVersion: SOURCE,
      kind: 'GitRepository',
      metadata,
      spec: { url: stage.git.urlOf(NAME), interval: '10m', ref: { branch: 'main' }, secretRef: { name: 'git-bot' } },
    },
    placement(plan, NAME, [NAME], { selector: { matchLabels: { env: 'demo' } } }),
    delivered,
    { apiVersion: IMAGE, kind: 'ImageRepository', metadata, spec: { image, interval: '10m', ...login } },
    {
      apiVersion: IMAGE,
      kind: 'ImagePolicy',
      metadata,
      spec: { imageRepositoryRef: { name: NAME }, policy: { semver: { range: '1.x' } } },
    },
    {
      apiVersion: IMAGE,
      kind: 'ImageUpdateAutomation',
      metadata,
      spec: { interval: '10m', sourceRef, git: { commit: { author: { name: 'Weir', email: 'weir@demo.invalid' }, messageTemplate } } },
    },
  ];
  for (const object of objects) await create(alice, object);
}

function deployment(image: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${NAME}
spec:
  selector:
    matchLabels:
      app: ${NAME}
  template:
    metadata:
      labels:
        app: ${NAME}
    spec:
      containers:
        - name: app
          image: ${image}
`;
}

/** What a registry's webhook, or `weir reconcile`, does: the next scan is now, not in ten minutes. */
async function lookAgain({ alice, plan }: Parts): Promise<void> {
  const annotations = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
  const path = `${collectionPath(IMAGE, 'ImageRepository', plan.namespace)}/${NAME}`;
  await expectPlane(alice, 'PATCH', path, { metadata: { annotations } }, 'application/merge-patch+json');
}

function committedFile({ stage }: Parts): Promise<string> {
  return git(stage.git.repositoryDir(NAME), 'show', `main:${FILE}`);
}

/** Waits until the Deployment of every cluster names this tag. */
async function everywhere(parts: Parts, tag: string): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${parts.plan.clusterNamespace}/deployments/${NAME}`;
  await Promise.all(
    parts.stage.clusters.map((cluster) =>
      until(
        `${tag} on ${cluster.name}`,
        LIMIT_MS,
        20,
        async () => {
          const { body } = await callCluster(cluster.admin, { method: 'GET', path });
          return imageIn(body as JsonObject) === `${parts.image}:${tag}` ? true : null;
        },
        () => shown(parts),
      ),
    ),
  );
}

function imageIn(live: JsonObject): unknown {
  const containers = at(live, 'spec', 'template', 'spec', 'containers');
  return Array.isArray(containers) ? at(containers[0], 'image') : undefined;
}

async function shown({ alice, plan }: Parts): Promise<string> {
  const kinds = ['ImageRepository', 'ImagePolicy', 'ImageUpdateAutomation'] as const;
  const found = await Promise.all(kinds.map((kind) => expectPlane(alice, 'GET', `${collectionPath(IMAGE, kind, plan.namespace)}/${NAME}`)));
  return JSON.stringify(found.map(readyCondition));
}
