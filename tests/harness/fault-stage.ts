import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { commonObjects, type DemoObject, kustomization, placement, type TenantPlan, tenantObject } from '#deploy/demo/definitions.ts';
import { runWeir } from '#deploy/demo/onboard.ts';
import { writeKubeconfig } from '#deploy/demo/people.ts';
import type { PlaneUser } from '#deploy/demo/plane-client.ts';
import { create } from '#deploy/demo/scene.ts';
import { type LocalAuthority, openLocalAuthority } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { type GitServer, startGitServer } from '#deploy/local/git-server.ts';
import { logIn } from '#deploy/local/oidc-login.ts';
import { freePort } from '#deploy/local/ports.ts';
import { type PostgresServer, startPostgres } from '#deploy/local/postgres.ts';
import { type RedisServer, startRedis } from '#deploy/local/redis.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { type FaultParts, openFaultParts, type PartName } from '#tests/harness/fault-parts.ts';
import { type FaultPlane, startFaultPlane, storesEnded } from '#tests/harness/fault-plane.ts';
import { embeddedDatabaseUrl } from '#tests/harness/fault-rows.ts';

/** Servers that a test may break by themselves; failpoints need the embedded ones. */
export type OwnStores = Readonly<{ postgres: PostgresServer; redis: RedisServer }>;

export type FaultStage = Readonly<{
  dir: string;
  stateDir: string;
  cluster: RunningCluster;
  /** A second one, only where the test asked for it. */
  other: RunningCluster | null;
  git: GitServer;
  tenant: TenantPlan;
  own: OwnStores | null;
  /** The parts of a plane that runs as many processes. */
  parts: FaultParts | null;
  /** The living plane; throws when there is none. */
  plane(): FaultPlane;
  /** Admin of the tenant, with a token of the living plane. */
  alice(): PlaneUser;
  /** Starts the plane on the same state folder. Null when a failpoint killed it before it was ready. */
  start(env?: Readonly<Record<string, string>>): Promise<FaultPlane | null>;
  /** Waits for a plane that a failpoint kills. Returns when that was. */
  died(): Promise<number>;
  /** SIGKILL, and waits until nothing of it is left. */
  kill(): Promise<void>;
  /** Superuser's URL of the plane's database. */
  databaseUrl(): Promise<string>;
  /** What stands in the embedded database of a dead plane, read by a server of the test's own on the same files. */
  atRest<T>(read: (url: string) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}>;

/** The API first: it makes the keys that the workers read. */
const ALL_PARTS: readonly PartName[] = ['api', 'scheduler', 'worker-source', 'worker-kustomize', 'worker-fleet', 'worker-notification'];

export const faultTenant: TenantPlan = Object.freeze({
  name: 'team-a',
  namespace: 'team-a',
  clusterNamespace: 'faults',
  repository: 'work',
  login: { username: 'reader', password: 'fault-reader-login' },
  webhookToken: 'fault-webhook-token',
});

type Options = Readonly<{
  dir: string;
  files: Readonly<Record<string, string>>;
  stores: 'embedded' | 'own';
  secondCluster?: boolean;
  /** The plane as one process, or every part as one of its own (with stores of its own). */
  as?: 'one process' | 'parts';
  definitions?: readonly DemoObject[];
}>;

/** One cluster without controllers, a git server and a plane in a process of its own, with one tenant whose Kustomization `work` delivers the repository's root. */
export async function startFaultStage(
  children: Children,
  { dir, files, stores, secondCluster = false, definitions = [], as = 'one process' }: Options,
): Promise<FaultStage> {
  const stateDir = join(dir, 'plane');
  await mkdir(stateDir, { recursive: true, mode: 0o755 });
  const [authority, tools, port] = await Promise.all([
    openLocalAuthority(join(stateDir, 'ca'), 'fault tests'),
    loadToolPaths(),
    freePort(),
  ]);
  const clusterNamed = (name: string) => startCluster(children, { dir: join(dir, `cluster-${name}`), name, controllers: false, tools });
  const [own, cluster, other, git] = await Promise.all([
    stores === 'own' ? startOwnStores(children, dir) : null,
    clusterNamed('east'),
    secondCluster ? clusterNamed('west') : null,
    startGitServer(children, { dir: join(dir, 'git'), authority }),
  ]);
  const alive: { plane: FaultPlane | null; alice: PlaneUser | null; starts: number } = { plane: null, alice: null, starts: 0 };
  const storeEnv = own === null ? {} : await storeEnvironment(own);
  const parts =
    as === 'parts'
      ? await openFaultParts(children, { dir, stateDir, port, authority, kustomize: tools.kustomize, stores: storeEnv })
      : null;
  const start = async (env: Readonly<Record<string, string>> = {}): Promise<FaultPlane | null> => {
    if (parts !== null) {
      for (const name of ALL_PARTS) await parts.start(name, env);
      alive.plane = parts.plane();
      alive.alice = await enter(alive.plane, authority, 'alice');
      return alive.plane;
    }
    alive.starts += 1;
    const logFile = join(dir, `plane-${alive.starts}.log`);
    alive.plane = await startFaultPlane(children, { stateDir, logFile, port, env: { ...storeEnv, ...env } });
    alive.alice = alive.plane === null ? null : await enter(alive.plane, authority, 'alice').catch(() => null);
    return alive.plane;
  };
  const plane = (): FaultPlane => {
    if (alive.plane === null) throw new Error('no plane lives');
    return alive.plane;
  };
  const ended = async (): Promise<void> => {
    alive.plane = null;
    if (own === null) await storesEnded(stateDir);
  };
  const stage: FaultStage = Object.freeze({
    dir,
    stateDir,
    cluster,
    other,
    git,
    tenant: faultTenant,
    own,
    parts,
    plane,
    alice: () => {
      if (alive.alice === null) throw new Error('nobody is logged in: the plane died');
      return alive.alice;
    },
    start,
    died: async () => {
      await alive.plane?.process.exited;
      const atMs = Date.now();
      await ended();
      return atMs;
    },
    kill: async () => {
      await alive.plane?.process.stop('SIGKILL');
      await ended();
    },
    databaseUrl: async () => storeEnv['WEIR_DATABASE_URL'] ?? embeddedDatabaseUrl(stateDir),
    atRest: async <T>(read: (url: string) => Promise<T>): Promise<T> => {
      const server = await startPostgres(children, { dir: join(stateDir, 'postgres') });
      try {
        const url = new URL(server.superuserUrl);
        url.pathname = '/weir';
        return await read(url.href);
      } finally {
        await server.stop('fast');
      }
    },
    stop: async () => {
      await parts?.stop('SIGTERM');
      await alive.plane?.process.stop('SIGTERM', 20_000);
      await ended();
      await Promise.all([cluster.stop(), other?.stop(), git.stop(), own?.postgres.stop(), own?.redis.stop()]);
    },
  });
  await start();
  await setScene(stage, authority, files, definitions);
  return stage;
}

async function startOwnStores(children: Children, dir: string): Promise<OwnStores> {
  const { redis: program } = await loadToolPaths({ only: ['redis'] });
  if (program === null) throw new Error('this machine has no Redis: run `npm run setup`, it says what is missing');
  const [postgres, redis] = await Promise.all([
    startPostgres(children, { dir: join(dir, 'postgres'), fsync: false }),
    startRedis(children, { dir: join(dir, 'redis'), program }),
  ]);
  return { postgres, redis };
}

async function storeEnvironment({ postgres, redis }: OwnStores): Promise<Readonly<Record<string, string>>> {
  const client = new pg.Client({ connectionString: postgres.superuserUrl });
  await client.connect();
  try {
    await client.query('create database weir');
  } finally {
    await client.end();
  }
  const url = new URL(postgres.superuserUrl);
  url.pathname = '/weir';
  return { WEIR_DATABASE_URL: url.href, WEIR_REDIS_URL: redis.url };
}

async function enter(plane: FaultPlane, authority: LocalAuthority, id: string): Promise<PlaneUser> {
  const caPem = authority.certificatePem;
  return { url: plane.url, caPem, token: (await logIn(plane.issuer, caPem, id)).id_token };
}

async function setScene(
  stage: FaultStage,
  authority: LocalAuthority,
  files: Readonly<Record<string, string>>,
  definitions: readonly DemoObject[],
): Promise<void> {
  const { git, tenant } = stage;
  await git.createRepository(tenant.repository, {
    access: { readers: 'credentials', credentials: [{ scheme: 'basic', ...tenant.login, mayPush: false }] },
    files,
  });
  const pat = await enter(stage.plane(), authority, 'pat');
  const { kubeconfig } = await writeKubeconfig(join(stage.dir, 'kubeconfigs'), 'pat', pat, 'weir-system');
  await create(pat, tenantObject(tenant, [{ subject: 'alice', role: 'admin' }]));
  for (const cluster of [stage.cluster, stage.other]) if (cluster !== null) await onboard(cluster, tenant, kubeconfig, stage.dir);
  const alice = stage.alice();
  for (const object of commonObjects(tenant, git.urlOf(tenant.repository), authority.certificatePem)) await create(alice, object);
  await create(alice, placement(tenant, 'work', ['work'], { names: [stage.cluster.name] }));
  await create(alice, work(tenant, 'work', './'));
  for (const object of definitions) await create(alice, object);
}

/** A Kustomization that looks again soon after a failure; its interval plays no part. */
export function work(tenant: TenantPlan, name: string, path: string, more: Readonly<Record<string, unknown>> = {}): DemoObject {
  const made = kustomization(tenant, { name, path, targetNamespace: tenant.clusterNamespace, wait: false });
  const spec = typeof made['spec'] === 'object' ? made['spec'] : {};
  return { ...made, spec: { ...spec, postBuild: undefined, retryInterval: '5s', ...more } };
}

/** The cluster has no controllers, so ClusterRole `admin` is empty there: a role with what the tests deliver. */
async function onboard(cluster: RunningCluster, tenant: TenantPlan, planeKubeconfig: string, dir: string): Promise<void> {
  await runWeir(
    [
      ...['cluster', 'onboard', '--kubeconfig', cluster.adminKubeconfigPath, '--name', cluster.name, '--labels', `region=${cluster.name}`],
      ...['--tenants', `${tenant.name}=${tenant.clusterNamespace}`, '--role', 'cluster-admin'],
      ...['--yes', '--plane-kubeconfig', planeKubeconfig],
    ],
    dir,
  );
}
