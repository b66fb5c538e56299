import { AppError } from '#core/errors.ts';
import { canonicalJson } from '#core/json.ts';
import type { Ref, StoredObject } from '#core/store.ts';
import { contentOf } from './codec.ts';
import { logAndDelete, logAndInsert, logAndUpdate } from './numbered-writes.ts';
import type { ObjectWrite } from './objects.ts';
import { addOutbox } from './outbox.ts';
import { textOf } from './rows.ts';
import { beforeNumbering, type TenantTx } from './tenant-tx.ts';
import { dropWork, moveWork, newWork, putHost } from './work-rows.ts';

/**
 * Several object writes in one transaction, results in the given order. Everything that can wait (rows in uid order, then work rows) comes first,
 * the version counter last: its row lock makes the order of commits and of numbers equal (kube-api 2.7 rule 3), and no deadlock can arise.
 */
export async function writeObjects(tx: TenantTx, writes: readonly ObjectWrite[]): Promise<readonly StoredObject[]> {
  const real = writes.filter((one) => !isNothing(one));
  if (real.length > 0) {
    beforeNumbering(tx, 'an object write');
    await lockRows(tx, real);
    for (const one of real) await writeBeside(tx, one);
    tx.numbering.taken = true;
  }
  const results = writes.map((one) => (one.do === 'update' && isNothing(one) ? Promise.resolve(one.before) : writeNumbered(tx, one)));
  return Promise.all(results);
}

function isNothing(write: ObjectWrite): boolean {
  if (write.do !== 'update' || write.extra?.sealed !== undefined) return false;
  return canonicalJson(contentOf(write.before)) === canonicalJson(contentOf(write.after));
}

async function lockRows(tx: TenantTx, writes: readonly ObjectWrite[]): Promise<void> {
  const befores = writes.flatMap((one) => (one.do === 'insert' ? [] : [one.before]));
  if (befores.length === 0) return;
  const rows = await tx.query(
    'select uid, resource_version from weir.objects where tenant_id = $1 and uid = any($2::uuid[]) order by uid for update',
    [tx.tenantId, befores.map((one) => one.uid)],
  );
  const versions = new Map(rows.map((row) => [textOf(row, 'uid'), textOf(row, 'resource_version')]));
  for (const before of befores) {
    const version = versions.get(before.uid);
    if (version === undefined)
      throw new AppError('notFound', `${before.kind} "${before.name}" not found`, { name: before.name, kind: before.kind });
    if (version !== before.resourceVersion) throw conflict(before);
  }
}

export function conflict(object: Pick<StoredObject, 'kind' | 'name'>): AppError {
  return new AppError('conflict', `${object.kind} "${object.name}" changed in between: read it again and repeat the change`, {
    name: object.name,
    kind: object.kind,
  });
}

/** Everything but the numbered rows. */
async function writeBeside(tx: TenantTx, write: ObjectWrite): Promise<void> {
  const { consequences } = write;
  switch (write.do) {
    case 'insert':
      if (write.object.unit !== null) await newWork(tx, write.object, write.object.unit);
      await putRefs(tx, write.object.uid, write.object.refs);
      break;
    case 'update':
      if (write.extra?.refs !== undefined) await putRefs(tx, write.before.uid, write.extra.refs);
      if (write.extra?.host !== undefined) await putHost(tx, write.before.uid, write.extra.host);
      await moveWork(tx, write.before.uid, consequences);
      break;
    case 'delete':
      await putRefs(tx, write.before.uid, []);
      await dropWork(tx, write.before.uid);
      break;
  }
  await addOutbox(tx, consequences.outbox);
}

async function putRefs(tx: TenantTx, referrer: string, refs: readonly Ref[]): Promise<void> {
  await Promise.all([
    tx.run('delete from weir.refs where tenant_id = $1 and referrer = $2', [tx.tenantId, referrer]),
    ...(refs.length === 0
      ? []
      : [
          tx.run(
            `insert into weir.refs (tenant_id, referrer, kind, namespace, name, wakes_on)
              select $1, $2, r.kind, r.namespace, r.name, r.wakes_on from unnest($3::text[], $4::text[], $5::text[], $6::text[]) r (kind, namespace, name, wakes_on)
              on conflict do nothing`,
            [
              tx.tenantId,
              referrer,
              refs.map((one) => one.kind),
              refs.map((one) => one.namespace),
              refs.map((one) => one.name),
              refs.map((one) => one.on),
            ],
          ),
        ]),
  ]);
}

function writeNumbered(tx: TenantTx, write: ObjectWrite): Promise<StoredObject> {
  switch (write.do) {
    case 'insert':
      return logAndInsert(tx, write.object);
    case 'update':
      return logAndUpdate(tx, write.before, write.after, write.extra?.sealed);
    case 'delete':
      return logAndDelete(tx, write.before);
  }
}
