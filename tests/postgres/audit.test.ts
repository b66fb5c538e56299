import { expect, test } from 'vitest';
import { appendAudit, listAudit, verifyAudit } from '#adapters/postgres/audit.ts';
import type { AuditEntry } from '#core/store.ts';
import { type TestTenant, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane({ maxConnections: 8 });

function entry(name: string): AuditEntry {
  return {
    actor: 'ann',
    via: 'oidc',
    verb: 'create',
    kind: 'ConfigMap',
    namespace: 'x',
    name,
    requestId: 'r',
    beforeDigest: null,
    afterDigest: 'sha256:1',
    detail: { b: 1, a: 'ä' },
  };
}

async function chain(count: number): Promise<TestTenant> {
  const tenant = await plane.newTenant();
  for (let index = 1; index <= count; index += 1) await plane.db.inTenant(tenant.scope, (tx) => appendAudit(tx, entry(`n${index}`)));
  return tenant;
}

function verify(tenant: TestTenant) {
  return plane.db.inTenant(tenant.scope, verifyAudit, { readOnly: true, snapshot: true });
}

/** As a superuser with triggers off: what somebody with the whole server could do. */
async function forge(sql: string, tenant: TestTenant): Promise<void> {
  await plane.ask(`do $$ begin set local session_replication_role = replica; ${sql.replaceAll('$T', `'${tenant.tenantId}'`)}; end $$`);
}

test('a chain verifies and is read newest first', async () => {
  const tenant = await chain(5);
  expect(await verify(tenant)).toEqual({ ok: true, entries: 5 });
  const records = await plane.db.inTenant(tenant.scope, (tx) => listAudit(tx, { limit: 2 }));
  expect(records.map((one) => one.name)).toEqual(['n5', 'n4']);
  expect(records[0]).toMatchObject({ ...entry('n5'), seq: 5 });
  const older = await plane.db.inTenant(tenant.scope, (tx) => listAudit(tx, { beforeSeq: 4, limit: 10 }));
  expect(older.map((one) => one.seq)).toEqual([3, 2, 1]);
  expect(await verify(await plane.newTenant())).toEqual({ ok: true, entries: 0 });
});

test.each([
  ['an edited entry', `update weir.audit set entry = replace(entry, 'ann', 'eve') where tenant_id = $T and seq = 3`, 3],
  ['an edited time', `update weir.audit set at_ms = at_ms + 1 where tenant_id = $T and seq = 2`, 2],
  ['a deleted entry', `delete from weir.audit where tenant_id = $T and seq = 3`, 3],
  [
    'a deleted entry with the rest moved up',
    `delete from weir.audit where tenant_id = $T and seq = 3; update weir.audit set seq = -seq where tenant_id = $T and seq > 3; update weir.audit set seq = -seq - 1 where tenant_id = $T and seq < 0; update weir.audit_heads set seq = 4 where tenant_id = $T`,
    3,
  ],
  [
    'an inserted entry',
    `update weir.audit set seq = -seq where tenant_id = $T and seq > 2; update weir.audit set seq = -seq + 1 where tenant_id = $T and seq < 0; insert into weir.audit select tenant_id, 3, at_ms, entry, hash from weir.audit where tenant_id = $T and seq = 2; update weir.audit_heads set seq = 6 where tenant_id = $T`,
    3,
  ],
  [
    'two swapped entries',
    `update weir.audit set seq = 100 where tenant_id = $T and seq = 3; update weir.audit set seq = 3 where tenant_id = $T and seq = 4; update weir.audit set seq = 4 where tenant_id = $T and seq = 100`,
    3,
  ],
  ['a cut tail', `delete from weir.audit where tenant_id = $T and seq = 5`, 5],
])('%s is detected', async (_name, sql, firstBadSeq) => {
  const tenant = await chain(5);
  await forge(sql, tenant);
  expect(await verify(tenant)).toMatchObject({ ok: false, firstBadSeq });
});

test('a whole chain of another tenant does not pass for this one', async () => {
  const [one, two] = [await chain(3), await plane.newTenant()];
  await plane.ask('insert into weir.audit select $2, seq, at_ms, entry, hash from weir.audit where tenant_id = $1', [
    one.tenantId,
    two.tenantId,
  ]);
  await plane.ask('insert into weir.audit_heads select $2, seq, hash from weir.audit_heads where tenant_id = $1', [
    one.tenantId,
    two.tenantId,
  ]);
  expect(await verify(two)).toMatchObject({ ok: false, firstBadSeq: 1 });
});

test('entries are never changed: the triggers refuse it even to a superuser', async () => {
  const tenant = await chain(1);
  await expect(plane.ask(`update weir.audit set entry = '{}' where tenant_id = $1`, [tenant.tenantId])).rejects.toThrow('never changed');
  await expect(plane.ask('delete from weir.audit where tenant_id = $1', [tenant.tenantId])).rejects.toThrow('never changed');
  await expect(plane.ask('truncate weir.audit')).rejects.toThrow('never changed');
});

test('200 writers at once leave no gap and no fork, and a rolled back change leaves no entry', async () => {
  const tenant = await plane.newTenant();
  const writes = Array.from({ length: 200 }, async (_one, index) =>
    plane.db.inTenant(tenant.scope, async (tx) => {
      await appendAudit(tx, entry(`w${index}`));
      if (index % 10 === 0) throw new Error('changed my mind');
    }),
  );
  const results = await Promise.allSettled(writes);
  expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(180);
  expect(await verify(tenant)).toEqual({ ok: true, entries: 180 });
});
