import { createHash, randomUUID } from 'node:crypto';
import { appendAudit } from '#adapters/postgres/audit.ts';
import { shareNamespace } from '#adapters/postgres/namespace-content.ts';
import { deleteObject, getObject, insertObject, updateObject } from '#adapters/postgres/objects.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { consequencesOf } from '#core/consequences.ts';
import { AppError } from '#core/errors.ts';
import { at, canonicalJson } from '#core/json.ts';
import type { OwnedObject, OwnedObjects } from '#core/ports.ts';
import type { Resource } from '#core/resource.ts';
import type { ObjectKey, StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import { type Face, faceOf } from '#kinds/registry.ts';
import type { WorkerAdapters } from '../adapters.ts';

/** Objects that a definition of this tenant makes in the tenant's own namespaces; row-level security lets no other in. Each write is one audited transaction. */
export function ownedFor({ db, clock }: WorkerAdapters, scope: TenantScope, owner: StoredObject): OwnedObjects {
  const audit = (
    tx: TenantTx,
    verb: 'create' | 'update' | 'delete',
    about: ObjectKey,
    before: StoredObject | null,
    after: OwnedObject | null,
  ) =>
    appendAudit(tx, {
      actor: scope.actor.name,
      via: scope.actor.via,
      verb,
      kind: about.kind,
      namespace: about.namespace,
      name: about.name,
      requestId: randomUUID(),
      beforeDigest: before === null ? null : digestOf(before.body),
      afterDigest: after === null ? null : digestOf({ spec: after.spec }),
      detail: { owner: `${owner.kind}/${owner.namespace}/${owner.name}` },
    });

  async function create(tx: TenantTx, face: Face, wanted: OwnedObject): Promise<'created'> {
    await shareNamespace(tx, wanted.namespace);
    const namespace = await getObject(tx, { kind: 'Namespace', namespace: '', name: wanted.namespace });
    if (namespace === null || namespace.deletingAtMs !== null)
      throw new AppError('forbidden', `namespace ${wanted.namespace} is not there, or is being deleted`);
    await audit(tx, 'create', wanted, null, wanted);
    const { resource } = face;
    const object = {
      kind: wanted.kind,
      uid: randomUUID(),
      namespace: wanted.namespace,
      name: wanted.name,
      generation: 1,
      createdAtMs: clock.nowMs(),
      labels: wanted.labels,
      annotations: wanted.annotations,
      finalizers: resource.finalizer === null ? [] : [resource.finalizer],
      ownerReferences: [],
      managedFields: [],
      body: { spec: wanted.spec },
      status: resource.initialStatus,
      createdBy: 'weir',
    };
    const stored = { ...object, tenantId: scope.tenantId, resourceVersion: '', deletingAtMs: null, sealedKeys: [] };
    const refs = face.refsOf(object.body, wanted.namespace, wanted.name);
    await insertObject(tx, { ...object, refs, unit: { unit: face.unit, host: null } }, consequences(face, null, stored));
    return 'created';
  }

  async function update(tx: TenantTx, face: Face, before: StoredObject, wanted: OwnedObject): Promise<'configured' | 'unchanged'> {
    const isSame = canonicalJson(at(before.body, 'spec') ?? null) === canonicalJson(wanted.spec);
    const after: StoredObject = {
      ...before,
      labels: { ...before.labels, ...wanted.labels },
      annotations: { ...before.annotations, ...wanted.annotations },
      body: { ...before.body, spec: wanted.spec },
      generation: isSame ? before.generation : before.generation + 1,
    };
    if (
      isSame &&
      canonicalJson(after.labels) === canonicalJson(before.labels) &&
      canonicalJson(after.annotations) === canonicalJson(before.annotations)
    )
      return 'unchanged';
    await audit(tx, 'update', wanted, before, wanted);
    await updateObject(tx, before, after, consequences(face, before, after), {
      refs: face.refsOf(after.body, wanted.namespace, wanted.name),
    });
    return 'configured';
  }

  return Object.freeze({
    ensure: (wanted: OwnedObject) =>
      db.inTenant<'created' | 'configured' | 'unchanged'>(scope, async (tx) => {
        const face = faceFor(wanted.kind);
        refuseWrong(face.resource, wanted);
        const found = await getObject(tx, wanted);
        if (found === null) return create(tx, face, wanted);
        if (found.deletingAtMs !== null)
          throw new AppError(
            'conflict',
            `${wanted.kind} ${wanted.namespace}/${wanted.name} is being deleted; it is made again when it is gone`,
          );
        return update(tx, face, found, wanted);
      }),
    remove: (key: ObjectKey, labels: Readonly<Record<string, string>>) =>
      db.inTenant<boolean>(scope, async (tx) => {
        const face = faceFor(key.kind);
        const before = await getObject(tx, key);
        if (before === null || before.deletingAtMs !== null) return false;
        if (Object.entries(labels).some(([name, value]) => before.labels[name] !== value)) return false;
        await audit(tx, 'delete', key, before, null);
        if (before.finalizers.length === 0) await deleteObject(tx, before, consequences(face, before, null));
        else {
          const after = { ...before, deletingAtMs: clock.nowMs(), generation: before.generation + 1 };
          await updateObject(tx, before, after, consequences(face, before, after));
        }
        return true;
      }),
  });
}

function faceFor(kind: string): Face {
  const face = faceOf(kind);
  if (face === null) throw new Error(`nobody reconciles ${kind}: a definition makes none`);
  return face;
}

/** The schema rules of the kind, which the API asks of everybody else. */
function refuseWrong(resource: Resource, wanted: OwnedObject): void {
  const [first] = resource.validate?.({ spec: wanted.spec }) ?? [];
  if (first !== undefined)
    throw new AppError('invalid', `${wanted.kind} ${wanted.namespace}/${wanted.name}: ${first.field}: ${first.message}`);
}

function consequences({ resource, unit }: Face, before: StoredObject | null, after: StoredObject | null) {
  return consequencesOf({ resource, reconciled: { unit }, before, after });
}

function digestOf(value: Parameters<typeof canonicalJson>[0]): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
