import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { runWeir } from '#deploy/demo/onboard.ts';
import { writeKubeconfig } from '#deploy/demo/people.ts';
import { expectPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { type RunningPlane, startPlane } from '#deploy/demo/plane-process.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { type RunningCluster, startCluster } from '#deploy/local/cluster.ts';
import { logIn } from '#deploy/local/oidc-login.ts';
import { startPostgres } from '#deploy/local/postgres.ts';
import { startRedis } from '#deploy/local/redis.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import type { SharedCluster } from '#tests/harness/parts.ts';

/** Who acts: pat administers the platform; alice and vera are admin and viewer of team-a; bob is admin of team-b. */
export type AttackPerson = 'pat' | 'alice' | 'vera' | 'bob';

/** A whole plane with two tenants on two clusters, and all that an attacker with full access to its stores would have. */
export type SharedAttackPlane = Readonly<{
  dir: string;
  stateDir: string;
  /** Where its temporary files go. */
  temporaryDir: string;
  logFile: string;
  pid: number;
  /** A value in the environment of the plane and of nobody else. */
  environmentCanary: string;
  databaseUrl: string;
  redisUrl: string;
  kubectl: string;
  people: Readonly<Record<AttackPerson, PlaneUser & Readonly<{ kubeconfig: string }>>>;
  /** Tenants team-a and team-b have the namespace of the same name there; team-a has the further account team-a/deployer on `east`. */
  clusters: readonly SharedCluster[];
}>;

const DATABASE = 'weir';
export const attackTenants = ['team-a', 'team-b'] as const;
/** Registered on the first cluster only. */
export const deployer = Object.freeze({ cluster: 'east', namespace: 'team-a', name: 'deployer' });

/** Starts all of it; `children` ends it. */
export async function startAttackPlane(children: Children, dir: string): Promise<SharedAttackPlane> {
  const stateDir = join(dir, 'plane');
  const temporaryDir = join(dir, 'tmp');
  for (const one of [stateDir, temporaryDir]) await mkdir(one, { recursive: true, mode: 0o755 });
  const [authority, tools] = await Promise.all([openLocalAuthority(join(stateDir, 'ca'), 'attack tests'), loadToolPaths()]);
  if (tools.redis === null) throw new Error('this machine has no Redis: run `npm run setup`, it says what is missing');
  const clusterOf = (name: string) => startCluster(children, { dir: join(dir, `cluster-${name}`), name, controllers: false, tools });
  const [postgres, redis, east, west] = await Promise.all([
    startPostgres(children, { dir: join(dir, 'postgres'), fsync: false }),
    startRedis(children, { dir: join(dir, 'redis'), program: tools.redis }),
    clusterOf('east'),
    clusterOf('west'),
  ]);
  const databaseUrl = await makeDatabase(postgres.superuserUrl);
  const environmentCanary = `canary-environment-${randomBytes(8).toString('hex')}`;
  const logFile = join(dir, 'plane.log');
  const plane = await startPlane(children, {
    stateDir,
    logFile,
    env: {
      WEIR_DATABASE_URL: databaseUrl,
      WEIR_REDIS_URL: redis.url,
      WEIR_LOG_LEVEL: 'debug',
      TMPDIR: temporaryDir,
      CANARY: environmentCanary,
    },
  });
  const people = await logInAll(plane, authority.certificatePem, join(dir, 'kubeconfigs'));
  const clusters = [east, west];
  await makeTenants(people.pat);
  for (const cluster of clusters) await onboard(cluster, people.pat.kubeconfig, dir);
  for (const [person, namespace] of [
    ['alice', 'team-a'],
    ['bob', 'team-b'],
  ] as const)
    await expectPlane(people[person], 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return {
    dir,
    stateDir,
    temporaryDir,
    logFile,
    pid: plane.pid,
    environmentCanary,
    databaseUrl,
    redisUrl: redis.url,
    kubectl: tools.kubectl,
    people,
    clusters: clusters.map(({ name, server, caPem, admin, adminKubeconfig, adminKubeconfigPath, auditLogPath }) => ({
      name,
      server,
      caPem,
      admin,
      adminKubeconfig,
      adminKubeconfigPath,
      auditLogPath,
    })),
  };
}

async function makeDatabase(superuserUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
  const url = new URL(superuserUrl);
  url.pathname = `/${DATABASE}`;
  return url.href;
}

async function logInAll(plane: RunningPlane, caPem: string, dir: string): Promise<SharedAttackPlane['people']> {
  const enter = async (id: AttackPerson) => {
    const user = { url: plane.url, caPem, token: (await logIn(plane.issuer, caPem, id)).id_token };
    const { kubeconfig } = await writeKubeconfig(dir, id, user, id === 'bob' ? 'team-b' : 'team-a');
    return { ...user, kubeconfig };
  };
  return { pat: await enter('pat'), alice: await enter('alice'), vera: await enter('vera'), bob: await enter('bob') };
}

async function makeTenants(pat: PlaneUser): Promise<void> {
  const members = {
    'team-a': [
      { subject: 'alice', role: 'admin' },
      { subject: 'vera', role: 'viewer' },
    ],
    'team-b': [{ subject: 'bob', role: 'admin' }],
  };
  for (const name of attackTenants)
    await expectPlane(pat, 'POST', '/apis/weir.dev/v1/tenants', {
      apiVersion: 'weir.dev/v1',
      kind: 'Tenant',
      metadata: { name },
      spec: { displayName: name, namespaces: { names: [name], prefixes: [`${name}-`] }, members: members[name] },
    });
}

/** The real command. The clusters have no controllers, so ClusterRole admin is empty there: the tenants get all of their namespaces instead. */
async function onboard(cluster: RunningCluster, planeKubeconfig: string, dir: string): Promise<void> {
  const accounts = cluster.name === deployer.cluster ? ['--accounts', `${deployer.namespace}/${deployer.name}`] : [];
  await runWeir(
    [
      ...['cluster', 'onboard', '--kubeconfig', cluster.adminKubeconfigPath, '--name', cluster.name, '--labels', `region=${cluster.name}`],
      ...['--tenants', attackTenants.map((one) => `${one}=${one}`).join(','), '--role', 'cluster-admin', ...accounts],
      ...['--yes', '--plane-kubeconfig', planeKubeconfig],
    ],
    dir,
  );
}
