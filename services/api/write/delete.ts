import { appendAudit } from '#adapters/postgres/audit.ts';
import { deleteObject, updateObject } from '#adapters/postgres/objects.ts';
import { rollbackWith, type TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { AppError, type Cause } from '#core/errors.ts';
import { isObject, type JsonObject } from '#core/json.ts';
import type { Verb } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import type { WriteContext } from '#services/api/admission/admission.ts';
import { admissionOf } from '#services/api/admission/table.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';
import { decodeObject } from '#services/api/wire/decode.ts';
import { toWire } from '#services/api/wire/object.ts';
import { conflict, deletedStatus, invalidOptions } from '#services/api/wire/status.ts';
import { auditOfWrite } from '#services/api/write/audit.ts';
import { beforeCommit } from '#services/api/write/create.ts';
import { untilWon } from '#services/api/write/retry.ts';
import { inWireWords } from '#services/api/write/store-errors.ts';
import { current } from '#services/api/write/update.ts';
import { consequences } from '#services/api/write/work.ts';

export type DeleteOptions = Readonly<{ uid: string | null; version: string | null; dryRun: boolean }>;

/** Options of a DELETE from body and query (kube-api.md 5.6). Throws AppError badRequest or invalid. */
export function readDeleteOptions(call: SignedInCall): DeleteOptions {
  const value: JsonObject = call.body === null ? {} : decodeObject(call.body).value;
  const causes: Cause[] = [];
  const policy = value.propagationPolicy ?? call.query.get('propagationPolicy') ?? '';
  if (policy === 'Orphan' || value.orphanDependents === true) {
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'propagationPolicy',
      message: 'Invalid value: "Orphan": objects in clusters are left behind by spec.deletionPolicy: Orphan of the definition',
    });
  } else if (policy !== '' && policy !== 'Background' && policy !== 'Foreground') {
    causes.push({
      reason: 'FieldValueNotSupported',
      field: 'propagationPolicy',
      message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground"`,
    });
  }
  const dryRun = [value.dryRun ?? [], call.query.get('dryRun') ?? []].flat().filter((one) => one !== '');
  if (dryRun.some((one) => one !== 'All'))
    causes.push({
      reason: 'FieldValueNotSupported',
      field: 'dryRun',
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    });
  if (causes.length > 0) throw invalidOptions('DeleteOptions', causes);
  const preconditions = isObject(value.preconditions) ? value.preconditions : {};
  return { uid: textOrNull(preconditions.uid), version: textOrNull(preconditions.resourceVersion), dryRun: dryRun.length > 0 };
}

function textOrNull(value: JsonObject[string] | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export type Deleted = Readonly<{
  is: 'gone' | 'going' /** A Status for what is gone, the object for what waits for its finalizers. */;
  answer: JsonObject;
  wire: JsonObject;
}>;

type Target = Readonly<{ name: string; onlyOwn: boolean; verb: Extract<Verb, 'delete' | 'deletecollection'> }>;

/** Deletes one object, or starts its deletion. Throws AppError notFound, conflict. Deleting again changes nothing. */
export async function removeObject(context: WriteContext, target: Target, options: DeleteOptions): Promise<Deleted> {
  const { deps, scope } = context;
  await deps.failpoints.hit('a1');
  const deleted = await untilWon(options.version === null, () =>
    deps.db.inTenant<Deleted>(scope, async (tx) => {
      const before = await current(tx, context, target);
      checkPreconditions(context, before, options);
      const done = await removeIn(tx, context, target.verb, before);
      await beforeCommit(tx, context);
      return options.dryRun ? rollbackWith(done) : done;
    }),
  );
  await deps.failpoints.hit('a3');
  return deleted;
}

/** A failed uid precondition names the Kind, as on a real API server. */
function checkPreconditions({ resource }: WriteContext, before: StoredObject, { uid, version }: DeleteOptions): void {
  if (uid !== null && uid !== before.uid) {
    const because = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.uid}`;
    throw new AppError('conflict', conflict(resource, before.name, because).message, {
      name: before.name,
      group: resource.group,
      kind: resource.kind,
    });
  }
  if (version !== null && version !== before.resourceVersion) {
    throw conflict(
      resource,
      before.name,
      `Precondition failed: ResourceVersion in precondition: ${version}, ResourceVersion in object meta: ${before.resourceVersion}`,
    );
  }
}

async function removeIn(tx: TenantTx, context: WriteContext, verb: Target['verb'], before: StoredObject): Promise<Deleted> {
  const { resource, deps } = context;
  const isNamespace = resource.kind === 'Namespace';
  if (before.deletingAtMs !== null) return going(context, before);
  const admission = admissionOf(resource.kind);
  await admission.beforeDelete?.(tx, context, before);
  await appendAudit(tx, auditOfWrite(context, verb, before, before, null));
  if (before.finalizers.length === 0 && !isNamespace) {
    await admission.besideDelete?.(tx, context, before);
    const gone = await inWireWords(resource, before.name, () => deleteObject(tx, before, consequences(resource, before, null)));
    return { is: 'gone', answer: deletedStatus(resource, before.name, before.uid), wire: toWire(resource, gone) };
  }
  const after: StoredObject = {
    ...before,
    deletingAtMs: deps.clock.nowMs(),
    generation: before.generation + 1,
    // What is in a namespace is torn down first; `finishNamespaces` lets it go then.
    status: isNamespace ? { ...before.status, phase: 'Terminating' } : before.status,
  };
  return going(
    context,
    await inWireWords(resource, before.name, () => updateObject(tx, before, after, consequences(resource, before, after))),
  );
}

function going({ resource }: WriteContext, object: StoredObject): Deleted {
  const wire = toWire(resource, object);
  return { is: 'going', answer: wire, wire };
}
