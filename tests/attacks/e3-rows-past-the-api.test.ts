import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenStatusRules } from '#core/conditions.ts';
import { isObject, type JsonObject, textAt } from '#core/json.ts';
import { callPlane, expectPlane } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import type { GitServer } from '#deploy/local/git-server.ts';
import { askedByPlane } from '#tests/attacks/cluster-audit.ts';
import { asSuperuser, deliveries, grantsRelayed, make, openGit, pathOf, source, type Told, toldBy } from '#tests/attacks/two-tenants.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { attackPlane } from '#tests/harness/parts.ts';

/**
 * E3: rows that the API would have refused, written straight into PostgreSQL past row security. Each object is made through the API, suspended, and then its row is altered;
 * the worker has to treat what it finds as hostile.
 */
const children = useChildren('file');
const dir = useTemporaryDir('file');
let plane: SharedAttackPlane;
let git: GitServer;

beforeAll(async () => {
  plane = await attackPlane();
  git = await openGit(plane, children, join(dir(), 'git'));
  await git.createRepository('e3', {
    access: { readers: 'everybody', credentials: [] },
    files: { 'app.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: e3\ndata:\n  a: b\n' },
  });
  const { alice, bob } = plane.people;
  await Promise.all([source(alice, 'team-a', git, 'e3'), source(bob, 'team-b', git, 'e3')]);
  await make(bob, 'Placement', 'team-b', 'e3', {
    spec: { definitions: { kinds: ['Kustomization'], selector: { matchLabels: { case: 'e3' } } }, clusters: { names: ['east'] } },
  });
  await make(bob, 'Kustomization', 'team-b', 'e3-twin', spec('twin', {}), selected);
  expect(await deliveries(bob, 'team-b', 'e3-twin', 1)).toMatchObject({ east: { status: 'True' } });
});

afterAll(() => git.stop());

const selected: JsonObject = { labels: { case: 'e3' } };

/** What it would apply has a name of its own, so that one request for it would be found in the audit log of the cluster. */
function spec(what: string, more: JsonObject): JsonObject {
  const sourceRef = { kind: 'GitRepository', name: 'e3' };
  return { spec: { interval: '10m', prune: true, path: './', sourceRef, namePrefix: `${what}-`, ...more } };
}

/** Alters the row of an object and makes it due. */
async function rewrite(client: pg.Client, uid: string, change: string, values: readonly unknown[]): Promise<void> {
  await client.query(`update weir.objects set ${change} where uid = $1`, [uid, ...values]);
  await client.query(
    `update weir.work set trigger_no = trigger_no + 1, fence = fence + 1, due_at = now(), offered_until = null where definition_id = $1`,
    [uid],
  );
  await client.query(`select pg_notify('weir_work', '')`);
}

/** Status of the object, or of its one delivery, once something is decided about it. */
async function toldAbout(client: pg.Client, uid: string): Promise<Told> {
  return until(`row ${uid}`, 20_000, 100, async () => {
    const { rows } = await client.query<{ status: JsonObject | null; generation: string; kind: string }>(
      `select status, kind, generation from weir.objects where uid = $1 or uid in (select unit_id from weir.work where definition_id = $1) order by kind = 'Delivery' desc`,
      [uid],
    );
    const [first] = rows;
    if (!isObject(first?.status)) return null;
    const told = toldBy({ status: first.status });
    if (told === null || told.status !== 'False' || told.reason === 'Progressing') return null;
    expect(brokenStatusRules({ generation: Number(first.generation), status: first.status })).toEqual([]);
    return told;
  });
}

async function hostile(kind: 'Kustomization' | 'GitRepository', what: string, body: JsonObject): Promise<Told> {
  const rest =
    kind === 'Kustomization' ? spec(what, { suspend: true }) : { spec: { url: git.urlOf('e3'), interval: '10m', suspend: true } };
  const made = await make(plane.people.bob, kind, 'team-b', `e3-${what}`, rest, selected);
  const uid = textAt(made, 'metadata', 'uid') ?? '';
  return asSuperuser(plane, async (client) => {
    await rewrite(client, uid, 'body = $2', [JSON.stringify(body)]);
    return toldAbout(client, uid);
  });
}

describe('E3: the worker treats the stored object as hostile', () => {
  test.each([
    [
      'a target namespace of the other tenant',
      'target',
      { targetNamespace: 'team-a' },
      'ReconciliationFailed',
      /namespace team-a of cluster east is not granted/,
    ],
    [
      'a target namespace of the cluster itself',
      'system',
      { targetNamespace: 'kube-system' },
      'ReconciliationFailed',
      /kube-system of cluster east is not granted/,
    ],
    [
      'the plane’s own account',
      'bootstrap',
      { serviceAccountName: 'weir-bootstrap' },
      'AccessDenied',
      /serviceAccountName weir-bootstrap.*ClusterAccount/,
    ],
    ['an account without a name', 'nobody', { serviceAccountName: '' }, 'AccessDenied', /serviceAccountName.*ClusterAccount/],
    [
      'a source of the other tenant',
      'source',
      { sourceRef: { kind: 'GitRepository', name: 'e3', namespace: 'team-a' } },
      'AccessDenied',
      /must be a namespace of this tenant/,
    ],
    ['a path out of the source', 'path', { path: '../../../../../etc' }, 'BuildFailed', /path/],
    ['a field that no schema has', 'field', { impersonate: 'system:masters' }, 'ValidationFailed', /spec .*impersonate.*apply a corrected/],
    ['an interval of another type', 'type', { interval: 5 }, 'ValidationFailed', /spec\.interval.*apply a corrected/],
  ] as const)('Kustomization with %s', async (_title, what, change, reason, message) => {
    const told = await hostile('Kustomization', what, spec(what, change));
    expect([told.reason, told.message]).toEqual([reason, expect.stringMatching(message)]);
  });

  test.each([
    ['option', '--upload-pack=/bin/true'],
    ['dash', 'ssh://-oProxyCommand=true/x'],
    ['file', 'file:///etc/passwd'],
    ['helper', 'ext::sh -c true'],
    ['userinfo', 'https://u:canary-e3-password@127.0.0.1/x.git'],
    ['line', 'https://127.0.0.1/x.git\n--upload-pack=true'],
    ['plain', 'http://127.0.0.1:1/x.git'],
  ] as const)('GitRepository with a URL that is %s', async (what, url) => {
    const told = await hostile('GitRepository', `url-${what}`, { spec: { url, interval: '10m' } });
    expect(['URLInvalid', 'ValidationFailed', 'UnsupportedField', 'AccessDenied'], told.message).toContain(told.reason);
    expect(told.message).toMatch(/url/);
    expect(told.message).not.toContain('canary-e3-password');
    expect(told.stalled, told.message).toBe(true);
  });

  test('a Placement that names a cluster nobody granted: nowhere, and it says what may be written', async () => {
    await oneOfAlices();
    const { bob } = plane.people;
    const made = await make(bob, 'Placement', 'team-b', 'e3-placed', {
      spec: { definitions: { names: ['e3-placed'] }, clusters: { names: ['west'] } },
    });
    await make(bob, 'Kustomization', 'team-b', 'e3-placed', spec('placed', { suspend: true }));
    await asSuperuser(plane, async (client) => {
      const body = { spec: { definitions: { names: ['e3-placed'] }, clusters: { names: ['team-a/e3-own'] } } };
      await rewrite(client, textAt(made, 'metadata', 'uid') ?? '', 'body = $2', [JSON.stringify(body)]);
    });
    await expectPlane(
      bob,
      'PATCH',
      pathOf('Kustomization', 'team-b', 'e3-placed'),
      { spec: { suspend: false } },
      'application/merge-patch+json',
    );
    const told = await until('e3-placed is nowhere', 20_000, 100, async () => {
      const found = toldBy((await callPlane(bob, 'GET', pathOf('Kustomization', 'team-b', 'e3-placed'))).body);
      return found?.reason === 'NoCluster' ? found : null;
    });
    expect(told).toMatchObject({
      status: 'False',
      stalled: true,
      message: expect.stringMatching(/Placement "e3-placed": write one of .*east/),
    });
  });

  test('a row of this tenant in the namespace of the other one finds nothing there, its accounts included', async () => {
    const { bob } = plane.people;
    const made = await make(bob, 'Kustomization', 'team-b', 'e3-moved', spec('moved', { suspend: true }), selected);
    const uid = textAt(made, 'metadata', 'uid') ?? '';
    const told = await asSuperuser(plane, async (client) => {
      const body = spec('moved', { serviceAccountName: 'deployer' });
      await rewrite(client, uid, `body = $2, namespace = 'team-a'`, [JSON.stringify(body)]);
      return toldAbout(client, uid);
    });
    expect(told).toMatchObject({ reason: 'NoCluster', stalled: true });
  });

  test('work on a cluster of the other tenant is refused; work for a definition of the other tenant is dropped', async () => {
    const foreign = await oneOfAlices();
    const { alice } = plane.people;
    const hers = await make(alice, 'Kustomization', 'team-a', 'e3-hers', spec('hers', { suspend: true }));
    await asSuperuser(plane, async (client) => {
      const { rows } = await client.query<{ tenant_id: string; unit_id: string; definition_id: string; cluster_id: string }>(
        `select w.* from weir.work w join weir.objects d on d.uid = w.definition_id where d.name = 'e3-twin' and w.cluster_id is not null`,
      );
      const [twin] = rows;
      if (twin === undefined) throw new Error('the twin has no delivery');
      const stray = await strayDelivery(client, twin, { clusterId: foreign, definitionId: twin.definition_id });
      const lost = await strayDelivery(client, twin, { clusterId: twin.cluster_id, definitionId: textAt(hers, 'metadata', 'uid') ?? '' });
      expect(await toldAbout(client, stray)).toMatchObject({
        reason: 'AccessDenied',
        stalled: true,
        message: expect.stringMatching(/ClusterGrant/),
      });
      await until('work for a foreign definition is dropped', 20_000, 100, async () => {
        const left = await client.query('select 1 from weir.work where unit_id = $1', [lost]);
        return left.rowCount === 0 ? true : null;
      });
      await client.query('delete from weir.objects where uid = $1', [lost]);
    });
  });

  test('the audit log of the cluster shows the twin’s object and none of the others, and no foreign namespace', async () => {
    const [east, west] = plane.clusters;
    if (east === undefined || west === undefined) throw new Error('two clusters');
    const asked = [...(await askedByPlane(east)), ...(await askedByPlane(west))];
    expect(asked.some((one) => one.name === 'twin-e3' && one.verb === 'patch' && one.namespace === 'team-b')).toBe(true);
    expect(asked.filter((one) => one.name.endsWith('-e3') && one.name !== 'twin-e3')).toEqual([]);
    const bobs = asked.filter((one) => one.user === 'system:serviceaccount:weir-system:tenant-team-b');
    expect(bobs.filter((one) => one.namespace !== '' && one.namespace !== 'team-b')).toEqual([]);
  });

  test('what was refused left no trace of a secret in the log', async () => {
    const { readFile } = await import('node:fs/promises');
    expect(await readFile(plane.logFile, 'utf8')).not.toContain('canary-e3-password');
  });
});

/** A Delivery of team-b with its work row, as a copy of the twin's with another cluster or definition. Returns its uid. */
async function strayDelivery(
  client: pg.Client,
  twin: Readonly<{ tenant_id: string; unit_id: string }>,
  over: Readonly<{ clusterId: string; definitionId: string }>,
): Promise<string> {
  const uid = randomUUID();
  await client.query(
    `insert into weir.objects (tenant_id, uid, kind, namespace, name, generation, resource_version, created_at, labels, annotations, finalizers, owner_references,
        managed_fields, body, sealed_keys, created_by)
      select tenant_id, $1::uuid, kind, namespace, 'stray-' || $1::uuid::text, generation, resource_version, created_at, labels, annotations, finalizers, owner_references, managed_fields,
        jsonb_set(body::jsonb, '{spec,cluster,uid}', to_jsonb($3::text))::json, sealed_keys, created_by from weir.objects where uid = $2`,
    [uid, twin.unit_id, over.clusterId],
  );
  await client.query(
    `insert into weir.work (tenant_id, unit_id, kind, definition_id, cluster_id, namespace, fans_out, due_at, cause)
      values ($1, $2, 'Kustomization', $3, $4, 'team-b', false, now(), 'created')`,
    [twin.tenant_id, uid, over.definitionId, over.clusterId],
  );
  await client.query(`select pg_notify('weir_work', '')`);
  return uid;
}

const own: { uid: string | null } = { uid: null };

/** A private Cluster of team-a: another door to the same API server, with a good credential, that nobody granted to team-b. */
async function oneOfAlices(): Promise<string> {
  if (own.uid !== null) return own.uid;
  const [east] = plane.clusters;
  if (east === undefined) throw new Error('no cluster');
  const { alice } = plane.people;
  const made = await make(alice, 'Cluster', 'team-a', 'e3-own', { spec: { server: east.server, caBundle: east.caPem } });
  const minted = await callCluster(east.admin, {
    method: 'POST',
    path: '/api/v1/namespaces/weir-system/serviceaccounts/weir-bootstrap/token',
    body: { spec: { expirationSeconds: 3_600 } },
  });
  const credential = minted.body as JsonObject;
  await expectPlane(alice, 'POST', `${pathOf('Cluster', 'team-a', 'e3-own')}/credentials`, {
    token: textAt(credential, 'status', 'token') ?? '',
    expiresAt: textAt(credential, 'status', 'expirationTimestamp') ?? '',
  });
  await grantsRelayed(plane);
  own.uid = textAt(made, 'metadata', 'uid') ?? '';
  return own.uid;
}
