import { beforeAll, describe, expect, it } from 'vitest';
import { insertObject, noConsequences } from '#adapters/postgres/objects.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { allVerbs, type Verb } from '#core/resource.ts';
import { scopeOfOwner } from '#core/tenant.ts';
import { resources } from '#kinds/registry.ts';
import { type Person, type Reply, useApi } from '#tests/contract/api.ts';
import { type Row, roleTable } from '#tests/contract/role-table.ts';
import { type Sample, sampleObject, samples } from '#tests/contract/samples.ts';
import { newObject } from '#tests/postgres/plane.ts';

/** Route × verb × who, on the running API, against the table written by hand (issue 3, done-when 4; threats E4, E5, E6). */
const api = useApi();
let made: Readonly<Record<string, Sample>> = {};

const actors = { V: 'viewer', E: 'editor', A: 'admin', P: 'platform' } as const satisfies Record<string, Person>;
type Actor = keyof typeof actors;
const everybody: readonly Actor[] = ['V', 'E', 'A', 'P'];
const named: readonly Verb[] = ['get', 'update', 'patch', 'delete'];

beforeAll(async () => {
  const info = await api.must(null, '/.well-known/weir-configuration');
  made = samples(textAt(info, 'certificateAuthority') ?? '', api.clock.nowMs());
  for (const row of roleTable) await seed(row);
});

/** One object per kind in the tenant; of a kind with rule `own`, one per person. */
async function seed(row: Row): Promise<void> {
  const sample = sampleOf(row.plural);
  if (row.plural === 'namespaces' || row.plural === 'tenants') return;
  if (row.plural === 'deliveries') return seedDelivery();
  const owners: readonly Person[] = row.own === true ? ['viewer', 'editor', 'admin'] : ['admin'];
  for (const owner of owners) {
    const name = row.own === true ? `x-${owner}` : 'x';
    await api.must(owner, collection(sample, 'acme'), { method: 'POST', body: sampleObject(sample, name, 'acme') });
  }
}

/** Nobody but the runtime makes deliveries. */
async function seedDelivery(): Promise<void> {
  const [tenant] = await api.plane.ask(`select tenant_id::text as id from weir.dir_tenants where name = 'acme'`);
  const scope = scopeOfOwner({ ownerTenantId: String(tenant?.['id']) }, { name: 'test', via: 'worker' });
  await api.plane.db.inTenant(scope, (tx) =>
    insertObject(tx, newObject({ kind: 'Delivery', namespace: 'acme', name: 'x' }), noConsequences),
  );
}

function sampleOf(plural: string): Sample {
  const sample = made[plural];
  if (sample === undefined) throw new Error(`no sample of ${plural}`);
  return sample;
}

function collection(sample: Sample, namespace: string): string {
  return sample.path.replace(':namespace', namespace);
}

/** The name of an object that the table speaks about: the caller's own where only own ones count. */
function objectName(row: Row, person: Person): string {
  if (row.plural === 'namespaces') return 'acme-prod';
  if (row.plural === 'tenants') return 'acme';
  if (row.own !== true) return 'x';
  return `x-${person === 'viewer' || person === 'editor' ? person : 'admin'}`;
}

const newNames: Readonly<Record<string, string>> = { namespaces: 'acme-new', tenants: 'third' };

type Place = Readonly<{ namespace: string; name: string }>;

/** One request for a verb; every write is a dry run, so that no cell changes the next one's world. */
async function attempt(row: Row, verb: Verb, person: Person | null, place: Place): Promise<Reply> {
  const sample = sampleOf(row.plural);
  const path = collection(sample, place.namespace);
  const object = `${path}/${place.name}`;
  const dry = '?dryRun=All';
  const patch: JsonObject = row.plural === 'tenants' ? { spec: { groups: [] } } : { metadata: { labels: { touched: 'yes' } } };
  switch (verb) {
    case 'get':
      return api.ask(person, object);
    case 'list':
      return api.ask(person, path);
    case 'watch':
      return api.ask(person, `${path}?watch=true&timeoutSeconds=1&resourceVersion=${await version()}`, { headersOnly: true });
    case 'create':
      return api.ask(person, `${path}${dry}`, {
        method: 'POST',
        body: sampleObject(sample, newNames[row.plural] ?? 'new', place.namespace),
      });
    case 'update':
      return api.ask(person, `${object}${dry}`, { method: 'PUT', body: await current(row, object, place) });
    case 'patch':
      return api.ask(person, `${object}${dry}`, { method: 'PATCH', body: patch });
    case 'delete':
      return api.ask(person, `${object}${dry}`, { method: 'DELETE' });
    case 'deletecollection':
      return api.ask(person, `${path}${dry}`, { method: 'DELETE' });
  }
}

async function version(): Promise<string> {
  const list = await api.must('admin', '/api/v1/namespaces/acme/configmaps');
  return textAt(list, 'metadata', 'resourceVersion') ?? '';
}

/** The object as it is, for a PUT; a valid one where it is not there. */
async function current(row: Row, object: string, place: Place): Promise<JsonObject> {
  const owner: Person = row.plural === 'tenants' ? 'platform' : 'admin';
  const read = await api.ask(owner, object);
  return read.status === 200 ? read.json : sampleObject(sampleOf(row.plural), place.name, place.namespace);
}

describe('the table', () => {
  it('speaks about every kind, verb and subresource that is served, and the served ones about it', () => {
    const served = resources.map((one) => one.plural).toSorted();
    expect(roleTable.map((row) => row.plural).toSorted()).toEqual(served);
    for (const row of roleTable) {
      const resource = resources.find((one) => one.plural === row.plural);
      expect(Object.keys(row.rights).toSorted()).toEqual(resource?.verbs.toSorted());
      expect(Object.keys(row.subresources ?? {})).toEqual(resource?.subresources.map((one) => one.name));
    }
  });
});

const cells = roleTable.flatMap((row) => allVerbs.flatMap((verb) => everybody.map((actor) => [row.plural, verb, actor] as const)));
const rowOf = (plural: string): Row => {
  const row = roleTable.find((one) => one.plural === plural);
  if (row === undefined) throw new Error(`no row of ${plural}`);
  return row;
};

describe('own tenant', () => {
  it.each(cells)('%s %s by %s', async (plural, verb, actor) => {
    const row = rowOf(plural);
    const person = actors[actor];
    const reply = await attempt(row, verb, person, { namespace: 'acme', name: objectName(row, person) });
    const who = row.rights[verb];
    const expected = who === undefined ? 405 : who.includes(actor) ? successOf(plural, verb) : 403;
    expect([reply.status, reply.text.slice(0, 300)]).toEqual([expected, expect.anything()]);
  });
});

/** The right is there when the answer is about the deed: a Tenant that still has namespaces is not deleted, whoever asks. */
function successOf(plural: string, verb: Verb): number {
  if (plural === 'tenants' && verb === 'delete') return 409;
  return verb === 'create' ? 201 : 200;
}

describe('subresources', () => {
  const subCells = roleTable.flatMap((row) =>
    Object.entries(row.subresources ?? {}).flatMap(([sub, rights]) =>
      Object.entries(rights).flatMap(([verb, who]) =>
        everybody.map((actor) => [row.plural, sub, verb, actor, who.includes(actor)] as const),
      ),
    ),
  );
  it.each(subCells)('%s/%s %s by %s: %s', async (plural, sub, verb, actor, allowed) => {
    const path = `${collection(sampleOf(plural), 'acme')}/x/${sub}`;
    const reply = await api.ask(
      actors[actor],
      verb === 'get' ? path : `${path}?dryRun=All`,
      verb === 'get' ? {} : { method: 'POST', body: subBody(plural, sub) },
    );
    const success = verb === 'create' && sub !== 'diff' ? 201 : 200;
    expect([reply.status, reply.text.slice(0, 200)]).toEqual([allowed ? success : 403, expect.anything()]);
    expect((await api.ask('admin', path, { method: 'DELETE' })).status).toBe(405);
  });
});

function subBody(plural: string, sub: string): JsonObject {
  if (sub === 'credentials') return { token: 'a-token', expiresAt: '2999-01-01T00:00:00Z' };
  return sub === 'diff' ? sampleObject(sampleOf(plural), 'x', 'acme') : {};
}

describe('own: what others made is missing for all but admins', () => {
  it.each(['viewer', 'editor'] as const)('%s', async (person) => {
    const row = rowOf('accesstokens');
    for (const verb of ['get', 'delete'] as const) {
      const foreign = await attempt(row, verb, person, { namespace: 'acme', name: 'x-admin' });
      const missing = await attempt(row, verb, person, { namespace: 'acme', name: 'x-ghost' });
      expect([foreign.status, foreign.text]).toEqual([404, missing.text.replaceAll('x-ghost', 'x-admin')]);
    }
  });
});

describe('without a token', () => {
  it.each(roleTable.map((row) => row.plural))('%s: 401 for every verb, served or not', async (plural) => {
    const row = rowOf(plural);
    for (const verb of allVerbs)
      expect((await attempt(row, verb, null, { namespace: 'acme', name: objectName(row, 'admin') })).status).toBe(401);
  });
});

describe('another tenant', () => {
  const namespaced = roleTable.filter((row) => row.plural !== 'namespaces' && row.plural !== 'tenants').map((row) => row.plural);

  it.each(namespaced)('%s: what exists there answers byte for byte like what does not exist', async (plural) => {
    const row = rowOf(plural);
    const name = objectName(row, 'admin');
    for (const verb of allVerbs) {
      const foreign = await attempt(row, verb, 'stranger', { namespace: 'acme', name });
      // A namespace of the same length that nobody has, and an object that is missing at home.
      const nowhere = await attempt(row, verb, 'stranger', { namespace: 'acne', name });
      expect([verb, foreign.status, body(foreign)]).toEqual([verb, nowhere.status, body(nowhere).replaceAll('acne', 'acme')]);
      expect(comparable(foreign)).toEqual(comparable(nowhere));
      const expected = row.rights[verb] === undefined ? 405 : named.includes(verb) || verb === 'create' ? 404 : 403;
      expect([verb, foreign.status]).toEqual([verb, expected]);
      if (expected !== 404 || !named.includes(verb)) continue;
      const atHome = await attempt(row, verb, 'stranger', { namespace: 'other', name });
      expect([verb, atHome.status, atHome.text]).toEqual([verb, foreign.status, foreign.text]);
    }
  });

  it.each([
    ['namespaces', 'acme', 'acne'],
    ['tenants', 'acme', 'acne'],
  ] as const)('%s: a named one is missing, lists leave it out', async (plural, foreign, missing) => {
    const row = rowOf(plural);
    for (const verb of named) {
      const there = await attempt(row, verb, 'stranger', { namespace: '', name: foreign });
      const nowhere = await attempt(row, verb, 'stranger', { namespace: '', name: missing });
      expect([verb, there.status, there.text]).toEqual([verb, nowhere.status, nowhere.text.replaceAll(missing, foreign)]);
      expect([403, 404]).toContain(there.status);
    }
    const list = await attempt(row, 'list', 'stranger', { namespace: '', name: '' });
    expect([list.status, list.text.includes('acme')]).toEqual([200, false]);
    expect(list.text).toContain('other');
  });

  it('a namespace name outside the own policy is one 403, taken or not', async () => {
    const ask = (name: string): Promise<Reply> =>
      api.ask('stranger', '/api/v1/namespaces', { method: 'POST', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
    const taken = await ask('acme-prod');
    const free = await ask('acme-free');
    const system = await ask('weir-system');
    expect([taken.status, taken.text]).toEqual([403, free.text.replaceAll('acme-free', 'acme-prod')]);
    expect(system.text).toBe(free.text.replaceAll('acme-free', 'weir-system'));
  });

  it('lists over all namespaces hold only one’s own, for every kind and person', async () => {
    for (const resource of resources.filter((one) => one.scope === 'Namespaced')) {
      const sample = sampleOf(resource.plural);
      const reply = await api.ask('stranger', sample.path.replace('/namespaces/:namespace', ''));
      expect([resource.plural, reply.status, reply.text.includes('"acme"')]).toEqual([resource.plural, 200, false]);
    }
  });

  it('nobody’s member is refused everywhere and told what to do', async () => {
    const reply = await api.ask('nobody', '/api/v1/configmaps');
    expect([reply.status, reply.text]).toEqual([
      403,
      expect.stringContaining('you have no namespaces; an admin of your tenant can add you'),
    ]);
    expect((await api.ask('nobody', '/api/v1/namespaces/acme/configmaps/x')).text).toBe(
      (await api.ask('stranger', '/api/v1/namespaces/other/configmaps/x')).text,
    );
  });
});

function body(reply: Reply): string {
  return reply.text;
}

/** Headers that could tell two answers apart. */
function comparable(reply: Reply): JsonObject {
  const { date: _date, 'audit-id': _audit, ...rest } = reply.headers;
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
}
