import { join } from 'node:path';
import pg from 'pg';
import { conditionOf } from '#core/conditions.ts';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { callPlane, expectPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { type GitServer, startGitServer } from '#deploy/local/git-server.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';

/** Helpers of the attack tests that run on the whole plane: what its two tenants write, and what they are told. */

const LIMIT_MS = 40_000;
const paths: Readonly<Record<string, string>> = Object.freeze({
  Secret: '/api/v1',
  ConfigMap: '/api/v1',
  GitRepository: '/apis/source.toolkit.fluxcd.io/v1',
  HelmChart: '/apis/source.toolkit.fluxcd.io/v1',
  HelmRepository: '/apis/source.toolkit.fluxcd.io/v1',
  Kustomization: '/apis/kustomize.toolkit.fluxcd.io/v1',
  HelmRelease: '/apis/helm.toolkit.fluxcd.io/v2',
  Receiver: '/apis/notification.toolkit.fluxcd.io/v1',
  Placement: '/apis/weir.dev/v1',
  Delivery: '/apis/weir.dev/v1',
  Cluster: '/apis/weir.dev/v1',
  ClusterAccount: '/apis/weir.dev/v1',
  AccessToken: '/apis/weir.dev/v1',
});

export function pathOf(kind: string, namespace: string, name?: string): string {
  const root = paths[kind];
  if (root === undefined) throw new Error(`no path of ${kind} is known here`);
  const plural = kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  return `${root}/namespaces/${namespace}/${plural.toLowerCase()}${name === undefined ? '' : `/${name}`}`;
}

export function object(kind: string, namespace: string, name: string, rest: JsonObject, metadata: JsonObject = {}): JsonObject {
  const apiVersion = paths[kind]?.replace(/^\/apis?\//, '') ?? '';
  return { apiVersion, kind, metadata: { name, namespace, ...metadata }, ...rest };
}

export async function make(
  user: PlaneUser,
  kind: string,
  namespace: string,
  name: string,
  rest: JsonObject,
  metadata?: JsonObject,
): Promise<JsonObject> {
  return expectPlane(user, 'POST', pathOf(kind, namespace), object(kind, namespace, name, rest, metadata));
}

/** A git server of the test's own, which the plane trusts by the `ca.crt` of a Secret. */
export async function openGit(plane: SharedAttackPlane, children: Children, dir: string): Promise<GitServer> {
  const authority = await openLocalAuthority(join(plane.stateDir, 'ca'), 'attack tests');
  return startGitServer(children, { dir, authority });
}

/** A GitRepository named as the repository, readable by everybody, in the tenant's namespace, with its artifact there. */
export async function source(user: PlaneUser, namespace: string, git: GitServer, repository: string): Promise<void> {
  await make(user, 'Secret', namespace, `${repository}-ca`, { stringData: { 'ca.crt': user.caPem } });
  await make(user, 'GitRepository', namespace, repository, {
    spec: { url: git.urlOf(repository), interval: '10m', ref: { branch: 'main' }, secretRef: { name: `${repository}-ca` } },
  });
  const told = await settled(user, 'GitRepository', namespace, repository);
  if (told.status !== 'True') throw new Error(`source ${repository}: ${told.reason} ${told.message}`);
}

export type Told = Readonly<{ status: string; reason: string; message: string; stalled: boolean }>;

/** What the object's Ready condition comes to say. Throws when nothing is decided in time. */
export async function settled(user: PlaneUser, kind: string, namespace: string, name: string, changedBy?: string): Promise<Told> {
  const path = pathOf(kind, namespace, name);
  const read = async () => (await callPlane(user, 'GET', path)).body;
  return until(
    `${kind} ${namespace}/${name} settled`,
    LIMIT_MS,
    100,
    async () => {
      const found = await read();
      const told = toldBy(found);
      if (told === null || told.reason === 'Progressing' || told.status === 'Unknown') return null;
      return changedBy === undefined || told.message.includes(changedBy) ? told : null;
    },
    async () => JSON.stringify(at(await read(), 'status') ?? null).slice(0, 600),
  );
}

export function toldBy(found: JsonObject): Told | null {
  const status = at(found, 'status');
  if (!isObject(status)) return null;
  const ready = conditionOf(status, 'Ready');
  if (ready === null) return null;
  const { reason, message } = ready;
  return { status: ready.status, reason, message, stalled: conditionOf(status, 'Stalled')?.status === 'True' };
}

/** Deliveries of one definition by cluster name, once there are `count` and each is decided. */
export async function deliveries(
  user: PlaneUser,
  namespace: string,
  definition: string,
  count: number,
): Promise<Readonly<Record<string, Told>>> {
  const read = async (): Promise<readonly JsonObject[]> => {
    const { body } = await callPlane(user, 'GET', pathOf('Delivery', namespace));
    const items = at(body, 'items');
    return (Array.isArray(items) ? items : []).flatMap((one) =>
      isObject(one) && textAt(one, 'spec', 'definition', 'name') === definition ? [one] : [],
    );
  };
  return until(
    `${count} deliveries of ${namespace}/${definition}`,
    LIMIT_MS,
    150,
    async () => {
      const told = (await read()).map((one) => [textAt(one, 'spec', 'cluster', 'name') ?? '', toldBy(one)] as const);
      if (told.length !== count) return null;
      const decided: Record<string, Told> = {};
      for (const [cluster, one] of told) {
        if (one === null || one.status === 'Unknown' || one.reason === 'Progressing') return null;
        decided[cluster] = one;
      }
      return decided;
    },
    async () => JSON.stringify((await read()).map((one) => at(one, 'status') ?? null)).slice(0, 800),
  );
}

/** The plane's database as nobody of Weir sees it: the superuser, past row security. */
export async function asSuperuser<T>(plane: SharedAttackPlane, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: plane.databaseUrl });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Settles when every change of a grant or an account is in force. */
export async function grantsRelayed(plane: SharedAttackPlane): Promise<void> {
  await asSuperuser(plane, (client) =>
    until('grants are in force', LIMIT_MS, 50, async () => {
      const { rowCount } = await client.query(`select 1 from weir.outbox where what = 'grants'`);
      return rowCount === 0 ? true : null;
    }),
  );
}
