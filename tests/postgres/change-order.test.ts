import { beforeAll, describe, expect, test } from 'vitest';
import { appendAudit } from '#adapters/postgres/audit.ts';
import {
  changesSince,
  currentVersion,
  deleteObject,
  getObject,
  insertObject,
  listObjects,
  noConsequences,
  updateObject,
} from '#adapters/postgres/objects.ts';
import { openTenantDb, type TenantDb } from '#adapters/postgres/tenant-db.ts';
import { silentLog } from '#core/log.ts';
import type { Change } from '#core/store.ts';
import { newObject, type TestTenant, usePlane } from '#tests/postgres/plane.ts';
import { useScheduler } from '#tests/postgres/scheduler.ts';

const plane = usePlane({ maxConnections: 30 });
const scheduler = useScheduler(plane);
let tenant: TestTenant;
beforeAll(async () => {
  tenant = await plane.newTenant();
});

const writers = 50;
const writesEach = 20;

async function write(writer: number): Promise<void> {
  const audit = {
    actor: 'a',
    via: 'v',
    verb: 'update',
    kind: 'ConfigMap',
    namespace: '',
    name: '',
    requestId: '',
    beforeDigest: null,
    afterDigest: null,
    detail: null,
  };
  let object = await plane.db.inTenant(tenant.scope, (tx) =>
    insertObject(tx, newObject({ kind: 'ConfigMap', namespace: tenant.namespace, name: `w${writer}` }), noConsequences),
  );
  for (let index = 1; index < writesEach - 1; index += 1) {
    const before = object;
    object = await plane.db.inTenant(tenant.scope, async (tx) => {
      // Every second writer also waits for the tenant's audit head: the order of locks is tried as well.
      if (writer % 2 === 0) await appendAudit(tx, audit);
      return updateObject(tx, before, { ...before, labels: { n: String(index) } }, noConsequences);
    });
  }
  const last = object;
  await plane.db.inTenant(tenant.scope, (tx) => deleteObject(tx, last, noConsequences));
}

/** Follows the log as a watch does: never looks back below the number it was told. */
async function follow(db: TenantDb, from: string, total: number): Promise<readonly Change[]> {
  const seen: Change[] = [];
  let after = from;
  while (seen.length < total) {
    const part = await db.inTenant(
      tenant.scope,
      (tx) => changesSince(tx, { kind: 'ConfigMap', namespaces: [tenant.namespace], after, limit: 37 }),
      { readOnly: true },
    );
    if (part === 'expired') throw new Error('expired');
    seen.push(...part.changes);
    after = part.upTo;
  }
  return seen;
}

describe('the change log', () => {
  test('50 writers at once: a watcher loses nothing, sees nothing twice, and everything in order', async () => {
    const watching = await openTenantDb({ url: plane.appUrl, maxConnections: 2, log: silentLog });
    try {
      const from = await watching.inTenant(tenant.scope, currentVersion);
      const watch = follow(watching, from, writers * writesEach);
      await Promise.all(Array.from({ length: writers }, (_one, writer) => write(writer)));
      const seen = await watch;
      const numbers = seen.map((one) => BigInt(one.resourceVersion));
      expect(numbers).toEqual(Array.from({ length: writers * writesEach }, (_one, index) => BigInt(from) + BigInt(index) + 1n));
      for (let writer = 0; writer < writers; writer += 1) {
        const mine = seen.filter((one) => one.object.name === `w${writer}`);
        expect(mine.map((one) => one.type)).toEqual(['ADDED', ...Array.from({ length: writesEach - 2 }, () => 'MODIFIED'), 'DELETED']);
        for (const [index, change] of mine.entries()) expect(change.before).toEqual(index === 0 ? null : mine[index - 1]?.object);
      }
    } finally {
      await watching.close();
    }
  });

  test('100 writers on one object: a stale one is refused, no change is lost', async () => {
    const object = await plane.db.inTenant(tenant.scope, (tx) =>
      insertObject(tx, newObject({ kind: 'ConfigMap', namespace: tenant.namespace, name: 'one' }), noConsequences),
    );
    const add = async (key: string): Promise<number> => {
      for (let tries = 0; ; tries += 1) {
        try {
          await plane.db.inTenant(tenant.scope, async (tx) => {
            const before = await getObject(tx, object);
            if (before === null) throw new Error('gone');
            await updateObject(tx, before, { ...before, labels: { ...before.labels, [key]: '' } }, noConsequences);
          });
          return tries;
        } catch (error) {
          expect(error).toMatchObject({ code: 'conflict' });
        }
      }
    };
    await Promise.all(Array.from({ length: 100 }, (_one, index) => add(`k${index}`)));
    expect(Object.keys((await plane.db.inTenant(tenant.scope, (tx) => getObject(tx, object)))?.labels ?? {})).toHaveLength(100);
  });

  test('a list and its number are one snapshot', async () => {
    const seen = await plane.db.inTenants([tenant.scope], async (_scope, tx) => {
      const number = await currentVersion(tx);
      await plane.db.inTenant(tenant.scope, (other) =>
        insertObject(other, newObject({ kind: 'Probe', namespace: tenant.namespace, name: 'late' }), noConsequences),
      );
      return { list: await listObjects(tx, { kind: 'Probe', namespaces: null }), number };
    });
    const [{ list, number: version } = { list: null, number: '' }] = seen;
    expect(list).toEqual([]);
    const log = await plane.db.inTenant(tenant.scope, (tx) =>
      changesSince(tx, { kind: 'Probe', namespaces: null, after: version, limit: 10 }),
    );
    expect(log).toMatchObject({ changes: [{ type: 'ADDED', object: { name: 'late' } }] });
  });
});

describe('expiry', () => {
  test('the log is trimmed from below, never under five minutes; whoever is below its end must list again', async () => {
    const since = (after: string) =>
      plane.db.inTenant(tenant.scope, (tx) => changesSince(tx, { kind: 'ConfigMap', namespaces: null, after, limit: 5 }));
    // The database is a copy of one that was made when the run began, perhaps more than five minutes ago.
    await plane.ask('update weir.change_log set logged_at = clock_timestamp()');
    expect(await scheduler.db.trimChangeLog({ keepMs: 0, limit: 10_000 })).toBe(0);
    await plane.ask(`update weir.change_log set logged_at = logged_at - interval '6 minutes' where resource_version <= 500`);
    expect(await scheduler.db.trimChangeLog({ keepMs: 0, limit: 100 })).toBe(100);
    expect(await scheduler.db.trimChangeLog({ keepMs: 3_600_000, limit: 1_000 })).toBe(0);
    expect(await scheduler.db.trimChangeLog({ keepMs: 0, limit: 10_000 })).toBe(500 - 100 - 1);
    expect(await since('499')).toBe('expired');
    expect(await since('500')).toMatchObject({ changes: [{ resourceVersion: '501' }, {}, {}, {}, {}], upTo: '505' });
    const future = await since('999999999');
    expect(future).toMatchObject({ changes: [] });
  });

  test('old events go, each with a number of its own, and a watch sees them go', async () => {
    for (const name of ['old-1', 'old-2', 'new']) {
      await plane.db.inTenant(tenant.scope, (tx) =>
        insertObject(
          tx,
          newObject({ kind: 'Event', namespace: tenant.namespace, name, body: { reason: 'x', count: 9_007_199_254_740_993n } }),
          noConsequences,
        ),
      );
    }
    const events = await plane.db.inTenant(tenant.scope, (tx) => listObjects(tx, { kind: 'Event', namespaces: null }));
    await plane.ask(`update weir.objects set changed_at = changed_at - interval '25 hours' where name like 'old-%'`);
    const from = await plane.db.inTenant(tenant.scope, currentVersion);
    expect(await scheduler.db.expireEvents({ keepMs: 86_400_000, limit: 100 })).toBe(2);
    expect(await scheduler.db.expireEvents({ keepMs: 86_400_000, limit: 100 })).toBe(0);
    const left = await plane.db.inTenant(tenant.scope, (tx) => listObjects(tx, { kind: 'Event', namespaces: null }));
    expect(left.map((one) => one.name)).toEqual(['new']);
    const log = await plane.db.inTenant(tenant.scope, (tx) =>
      changesSince(tx, { kind: 'Event', namespaces: null, after: from, limit: 10 }),
    );
    if (log === 'expired') throw new Error('fresh');
    const old = events.filter((one) => one.name !== 'new');
    expect(log.changes).toEqual(
      old.map((before, index) => {
        const resourceVersion = String(BigInt(from) + BigInt(index) + 1n);
        return { type: 'DELETED', resourceVersion, before, object: { ...before, resourceVersion } };
      }),
    );
  });

  test('remembered hook deliveries and unreferenced digests', async () => {
    await plane.ask(`insert into weir.hook_deliveries values ($1, $1, 'old', now() - interval '25 hours'), ($1, $1, 'new', now())`, [
      tenant.tenantId,
    ]);
    expect(await scheduler.db.expireHookDeliveries({ keepMs: 86_400_000, limit: 100 })).toBe(1);
    await plane.ask(
      `insert into weir.artifacts (tenant_id, digest, source_uid, revision, size_bytes) select $1, 'sha256:' || i, gen_random_uuid(), 'r', 1 from generate_series(1, 5) i, generate_series(1, 2)`,
      [tenant.tenantId],
    );
    expect(await scheduler.db.referencedDigests({ after: '', limit: 3 })).toEqual(['sha256:1', 'sha256:2', 'sha256:3']);
    expect(await scheduler.db.referencedDigests({ after: 'sha256:3', limit: 3 })).toEqual(['sha256:4', 'sha256:5']);
  });
});
