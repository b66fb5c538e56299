import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { readConditions } from '#core/conditions.ts';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { callPlane, collectionPath, expectPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { type ClusterAdmin, callCluster } from '#deploy/local/cluster-api.ts';
import { type SharedDemo, sharedDemo } from '#tests/harness/parts.ts';

const run = promisify(execFile);
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';
const READY_MS = 30_000;

export type Answer = Readonly<{ status: number; body: JsonObject }>;

/** A test's own application in the shared demo: a folder of its own in the repository of team-a, definitions with names of their own, all gone at the end. */
export type App = Readonly<{
  /** Unique, usable in every name. */
  id: string;
  demo(): SharedDemo;
  alice(): PlaneUser;
  bob(): PlaneUser;
  /** Commits files below the app's folder (null removes one) and pushes; the webhook wakes the source. */
  push(files: Readonly<Record<string, string | null>>): Promise<void>;
  /** As push, and waits until the source has an artifact with it: for what is made right afterwards. */
  pushed(files: Readonly<Record<string, string | null>>): Promise<void>;
  /** The app's chart folder in the working copy on this machine. */
  chartFolder(): string;
  /** Path of the folder, for spec.path. */
  path: string;
  /** Creates, or merges into, a Kustomization of team-a: `name` is put behind the id. */
  kustomization(name: string, spec?: JsonObject): Promise<string>;
  /** Places these Kustomizations on clusters of the demo. */
  place(names: readonly string[], clusters: readonly string[], kind?: string): Promise<void>;
  create(object: JsonObject): Promise<void>;
  get(kind: string, name: string): Promise<Answer>;
  patch(kind: string, name: string, patch: JsonObject): Promise<void>;
  remove(kind: string, name: string): Promise<void>;
  /** Waits for Ready with this status, and this reason when given; returns the message. */
  ready(name: string, status: 'True' | 'False' | 'Unknown', reason?: string, timeoutMs?: number, kind?: string): Promise<string>;
  /** The live object on a cluster, by path; null when it is not there. */
  live(cluster: string, path: string): Promise<JsonObject | null>;
  onCluster(cluster: string, method: string, path: string, body?: JsonObject): Promise<Answer>;
}>;

const API: Readonly<Record<string, string>> = Object.freeze({
  Kustomization: KUSTOMIZE,
  HelmRelease: 'helm.toolkit.fluxcd.io/v2',
  OCIRepository: 'source.toolkit.fluxcd.io/v1',
  Placement: 'weir.dev/v1',
  Delivery: 'weir.dev/v1',
  GitRepository: 'source.toolkit.fluxcd.io/v1',
  ExternalArtifact: 'source.toolkit.fluxcd.io/v1',
  ArtifactGenerator: 'source.extensions.fluxcd.io/v1beta1',
  Bucket: 'source.toolkit.fluxcd.io/v1',
  HelmRepository: 'source.toolkit.fluxcd.io/v1',
  HelmChart: 'source.toolkit.fluxcd.io/v1',
  Secret: 'v1',
  ServiceAccount: 'v1',
  ConfigMap: 'v1',
});
const NAMESPACE = 'team-a';

/** Registers set-up and clean-up of one file's application. */
export function useApp(prefix: string): App {
  const id = `${prefix}-${randomBytes(3).toString('hex')}`;
  const state: { demo: SharedDemo | null; copy: string; users: PlaneUser[]; made: [string, string][] } = {
    demo: null,
    copy: '',
    users: [],
    made: [],
  };
  const demo = (): SharedDemo => {
    if (state.demo === null) throw new Error('the demo is not started yet');
    return state.demo;
  };
  const user = (index: number): PlaneUser => {
    const found = state.users[index];
    if (found === undefined) throw new Error('the demo has two users');
    return found;
  };
  const collection = (kind: string): string => collectionPath(API[kind] ?? '', kind, NAMESPACE);
  const admins = new Map<string, ClusterAdmin>();
  const create = async (object: JsonObject): Promise<void> => {
    const kind = textAt(object, 'kind') ?? '';
    await expectPlane(user(0), 'POST', collection(kind), object);
    const name = at(object, 'metadata', 'name');
    state.made.push([kind, typeof name === 'string' ? name : '']);
  };
  const get = (kind: string, name: string): Promise<Answer> => callPlane(user(0), 'GET', `${collection(kind)}/${name}`);
  const onCluster = async (cluster: string, method: string, path: string, body?: JsonObject): Promise<Answer> => {
    const admin = admins.get(cluster) ?? (await adminOf(demo(), cluster));
    admins.set(cluster, admin);
    const answer = await callCluster(admin, {
      method,
      path,
      ...(body === undefined ? {} : { body, contentType: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' }),
    });
    return { status: answer.status, body: (isObject(answer.body) ? answer.body : {}) as JsonObject };
  };
  beforeAll(async () => {
    state.demo = await sharedDemo();
    state.users = await Promise.all(state.demo.users.map((one) => planeUser(one.kubeconfig)));
    state.copy = await mkdtemp(join(tmpdir(), 'weir-app-'));
    await cp(state.demo.git.workingCopy, state.copy, { recursive: true });
  });
  afterAll(async () => {
    for (const [kind, name] of state.made.toReversed()) await expectGone(user(0), `${collection(kind)}/${name}`);
    for (const [kind, name] of state.made.filter(([one]) => one === 'Kustomization' || one === 'HelmRelease'))
      await until(
        `${name} gone`,
        20_000,
        100,
        async () => ((await get(kind, name)).status === 404 ? true : null),
        async () =>
          JSON.stringify([(await get(kind, name)).body, (await callPlane(user(0), 'GET', collection('Delivery'))).body]).slice(0, 20_000),
      );
    await rm(state.copy, { recursive: true, force: true });
  });
  return Object.freeze({
    id,
    chartFolder: () => join(state.copy, 'tests', id, 'chart'),
    path: `./tests/${id}`,
    demo,
    alice: () => user(0),
    bob: () => user(1),
    push: async (files) => void (await push(state.copy, id, files)),
    pushed: async (files) => {
      const commit = await push(state.copy, id, files);
      await until(
        `the source has ${commit}`,
        READY_MS,
        50,
        async () => {
          const revision = textAt((await get('GitRepository', 'podinfo')).body, 'status', 'artifact', 'revision') ?? '';
          return (await holds(state.copy, revision.split(':').at(-1) ?? '', commit)) ? true : null;
        },
        async () => JSON.stringify((await get('GitRepository', 'podinfo')).body).slice(0, 2_000),
      );
    },
    kustomization: async (name, spec = {}) => {
      const full = `${id}-${name}`;
      const base = {
        sourceRef: { kind: 'GitRepository', name: 'podinfo' },
        path: `./tests/${id}`,
        interval: '10m',
        retryInterval: '2s',
        prune: true,
        targetNamespace: 'apps-a',
      };
      await create({
        apiVersion: KUSTOMIZE,
        kind: 'Kustomization',
        metadata: { name: full, namespace: NAMESPACE },
        spec: { ...base, ...spec },
      });
      return full;
    },
    place: (names, clusters, kind = 'Kustomization') =>
      create({
        apiVersion: 'weir.dev/v1',
        kind: 'Placement',
        metadata: { name: `${names[0] ?? id}-place`, namespace: NAMESPACE },
        spec: { definitions: { kinds: [kind], names }, clusters: { names: clusters } },
      }),
    create,
    get,
    patch: async (kind, name, patch) =>
      void (await expectPlane(user(0), 'PATCH', `${collection(kind)}/${name}`, patch, 'application/merge-patch+json')),
    remove: async (kind, name) => void (await expectPlane(user(0), 'DELETE', `${collection(kind)}/${name}`)),
    ready: async (name, status, reason, timeoutMs = READY_MS, kind = 'Kustomization') => {
      const now = async () => readyOf((await get(kind, name)).body);
      const ready = await until(
        `${name} Ready=${status} ${reason ?? ''}`,
        timeoutMs,
        50,
        async () => {
          const found = await now();
          return found !== null && found.status === status && (reason === undefined || found.reason === reason) ? found : null;
        },
        async () => JSON.stringify(await now()),
      );
      return ready.message;
    },
    live: async (cluster, path) => {
      const answer = await onCluster(cluster, 'GET', path);
      return answer.status === 404 ? null : answer.body;
    },
    onCluster,
  });
}

/** A test may have deleted it itself. */
async function expectGone(user: PlaneUser, path: string): Promise<void> {
  const { status, body } = await callPlane(user, 'DELETE', path);
  if (status !== 200 && status !== 404) throw new Error(`DELETE ${path}: ${status} ${JSON.stringify(body).slice(0, 300)}`);
}

/** Ready of the current generation; null while the object's status is of an older one. */
function readyOf(object: JsonObject) {
  const status = at(object, 'status');
  const ready = readConditions(isObject(status) ? status : null).find((one) => one.type === 'Ready');
  return ready === undefined || ready.observedGeneration !== at(object, 'metadata', 'generation') ? null : ready;
}

async function planeUser(kubeconfig: string): Promise<PlaneUser> {
  const config: unknown = JSON.parse(await readFile(kubeconfig, 'utf8'));
  const text = (...path: readonly string[]): string => {
    let current: unknown = config;
    for (const key of path) current = typeof current === 'object' && current !== null ? Reflect.get(current, key) : undefined;
    return typeof current === 'string' ? current : '';
  };
  const ca = Buffer.from(text('clusters', '0', 'cluster', 'certificate-authority-data'), 'base64').toString('utf8');
  return { url: text('clusters', '0', 'cluster', 'server'), caPem: ca, token: text('users', '0', 'user', 'token') };
}

export async function adminOf(demo: SharedDemo, cluster: string): Promise<ClusterAdmin> {
  const found = demo.workloadClusters.find((one) => one.name === cluster);
  const config: unknown = JSON.parse(await readFile(found?.kubeconfig ?? '', 'utf8'));
  const text = (...path: readonly string[]): string => {
    let current: unknown = config;
    for (const key of path) current = typeof current === 'object' && current !== null ? Reflect.get(current, key) : undefined;
    return typeof current === 'string' ? current : '';
  };
  const pem = (...path: readonly string[]): string => Buffer.from(text(...path), 'base64').toString('utf8');
  return {
    server: text('clusters', '0', 'cluster', 'server'),
    caPem: pem('clusters', '0', 'cluster', 'certificate-authority-data'),
    certificatePem: pem('users', '0', 'user', 'client-certificate-data'),
    keyPem: pem('users', '0', 'user', 'client-key-data'),
  };
}

/** Other files push to the same branch: ours goes on top of what is there. */
async function push(copy: string, id: string, files: Readonly<Record<string, string | null>>): Promise<string> {
  // The copy's own configuration knows the authority; GIT_SSL_CAINFO of the machine would win over it.
  const env = { PATH: process.env['PATH'], HOME: copy };
  const git = (...args: readonly string[]) => run('git', ['-C', copy, ...args], { env });
  for (let attempt = 1; ; attempt += 1) {
    await git('fetch', '--quiet', 'origin', 'main');
    await git('reset', '--quiet', '--hard', 'FETCH_HEAD');
    for (const [name, content] of Object.entries(files)) {
      const file = join(copy, 'tests', id, name);
      if (content === null) await rm(file, { force: true });
      else {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    }
    await git('add', '--all');
    await git('commit', '--quiet', '--message', `Change ${id}`);
    try {
      await git('push', '--quiet', 'origin', 'HEAD:main');
      return (await git('rev-parse', 'HEAD')).stdout.trim();
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** Whether a commit is `wanted` or comes after it. */
async function holds(copy: string, commit: string, wanted: string): Promise<boolean> {
  if (commit === wanted) return true;
  const env = { PATH: process.env['PATH'], HOME: copy };
  try {
    await run('git', ['-C', copy, 'fetch', '--quiet', 'origin', 'main'], { env });
    await run('git', ['-C', copy, 'merge-base', '--is-ancestor', wanted, commit], { env });
    return true;
  } catch {
    // Not an ancestor, or not fetched yet: asked again.
    return false;
  }
}

export function configMap(name: string, data: Readonly<Record<string, string>>): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${/^[0-9]+$/.test(value) ? `"${value}"` : value}`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${lines.join('\n')}\n`;
}

export function deployment(name: string, replicas: number, selector = name): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app: ${selector}
  template:
    metadata:
      labels:
        app: ${selector}
    spec:
      containers:
        - name: main
          image: ghcr.io/stefanprodan/podinfo:6.9.2
`;
}

export const configMapPath = (name: string, namespace = 'apps-a'): string => `/api/v1/namespaces/${namespace}/configmaps/${name}`;
export const deploymentPath = (name: string): string => `/apis/apps/v1/namespaces/apps-a/deployments/${name}`;
