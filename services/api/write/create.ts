import { randomUUID } from 'node:crypto';
import { appendAudit } from '#adapters/postgres/audit.ts';
import { shareNamespace } from '#adapters/postgres/namespace-content.ts';
import { getObject, insertObject, type NewObject } from '#adapters/postgres/objects.ts';
import { sealSecret } from '#adapters/postgres/secrets.ts';
import { rollbackWith, type TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { AppError } from '#core/errors.ts';
import { isObject, type JsonObject } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import type { WriteContext } from '#services/api/admission/admission.ts';
import { admissionOf } from '#services/api/admission/table.ts';
import { principalKey } from '#services/api/auth/principal-key.ts';
import type { Draft } from '#services/api/validate/draft.ts';
import { toWire } from '#services/api/wire/object.ts';
import { namespaceNotFound } from '#services/api/wire/status.ts';
import { auditOfWrite } from '#services/api/write/audit.ts';
import { sealLastApplied } from '#services/api/write/last-applied.ts';
import { bytesOf, type SecretData, splitSecret } from '#services/api/write/secret-values.ts';
import { inWireWords } from '#services/api/write/store-errors.ts';
import { consequences, refsOf, unitOf } from '#services/api/write/work.ts';

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Stores a new object in one transaction with audit entry, work and change log; answers it as the caller may see it. Throws AppError. */
export async function createObject(context: WriteContext, draft: Draft, reveal: boolean): Promise<JsonObject> {
  const { deps, scope, dryRun } = context;
  await deps.failpoints.hit('a1');
  const wire = await deps.db.inTenant<JsonObject>(scope, async (tx) => {
    const made = await createIn(tx, context, draft, reveal);
    await beforeCommit(tx, context);
    return dryRun ? rollbackWith(withoutVersion(made)) : made;
  });
  await deps.failpoints.hit('a3');
  return wire;
}

/** A test may stop the process here; `tx` is open. */
export async function beforeCommit(_tx: TenantTx, { deps }: WriteContext): Promise<void> {
  await deps.failpoints.hit('a2');
}

async function createIn(tx: TenantTx, context: WriteContext, wanted: Draft, reveal: boolean): Promise<JsonObject> {
  const { resource, deps } = context;
  const admission = admissionOf(resource.kind);
  const namespace = namespaceOf(context);
  if (namespace !== '') await checkNamespace(tx, namespace);
  const draft = (await admission.beforeCreate?.(tx, context, wanted)) ?? wanted;
  const isSecret = resource.secretFields.length > 0;
  const split = isSecret ? splitSecret(resource, draft.metadata.name, draft.body, null) : { body: draft.body, data: {} };
  const shown = newObject(context, draft, split.body, namespace);
  const plain = await sealLastApplied(tx, deps.keys, resource, shown, null);
  await appendAudit(tx, auditOfWrite(context, 'create', plain, null, stored(context, plain, split.data)));
  const over = await inWireWords(resource, plain.name, async () => (await admission.besideCreate?.(tx, context, plain)) ?? null);
  const sealed =
    isSecret && Object.keys(split.data).length > 0
      ? await sealSecret(tx, deps.keys, { uid: plain.uid, version: plain.generation }, bytesOf(split.data))
      : undefined;
  const made = await inWireWords(resource, plain.name, () =>
    insertObject(tx, sealed === undefined ? plain : { ...plain, sealed }, consequences(resource, null, stored(context, plain, split.data))),
  );
  const wire = toWire(resource, { ...made, annotations: shown.annotations }, reveal ? split.data : 'masked');
  return over === null ? wire : lay(over, wire);
}

function namespaceOf({ resource, call }: WriteContext): string {
  return resource.scope === 'Cluster' ? '' : (call.params.namespace ?? '');
}

/** The namespace must be there, and not on its way out. */
async function checkNamespace(tx: TenantTx, name: string): Promise<void> {
  await shareNamespace(tx, name);
  const found = await getObject(tx, { kind: 'Namespace', namespace: '', name });
  if (found === null) throw namespaceNotFound(name);
  if (found.deletingAtMs === null) return;
  const message = `unable to create new content in namespace ${name} because it is being terminated`;
  throw new AppError('forbidden', message, {
    name,
    kind: 'namespaces',
    causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace', message: `namespace ${name} is being terminated` }],
  });
}

function newObject(context: WriteContext, { metadata }: Draft, body: JsonObject, namespace: string): NewObject {
  const { resource, scope, deps, call } = context;
  const unit = unitOf(resource, body);
  const finalizers =
    resource.finalizer !== null && unit !== null && !metadata.finalizers.includes(resource.finalizer)
      ? [...metadata.finalizers, resource.finalizer]
      : metadata.finalizers;
  // A Tenant owns itself: its rows stand under its own id.
  const name = metadata.name === '' ? `${metadata.generateName.slice(0, 58)}${suffix(() => deps.clock.random())}` : metadata.name;
  const uid = resource.kind === 'Tenant' ? scope.tenantId : randomUUID();
  return {
    kind: resource.kind,
    uid,
    namespace,
    name,
    generation: 1,
    createdAtMs: deps.clock.nowMs(),
    labels: metadata.labels,
    annotations: metadata.annotations,
    finalizers,
    ownerReferences: metadata.ownerReferences,
    managedFields: [],
    body,
    status: admissionOf(resource.kind).newStatus?.(context, uid) ?? resource.initialStatus,
    createdBy: principalKey(call.principal),
    refs: refsOf(resource, body, namespace, name),
    unit,
  };
}

function suffix(random: () => number): string {
  let text = '';
  for (let index = 0; index < 5; index += 1) text += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)] ?? 'x';
  return text;
}

/** The object as it will be stored, before it has a number. */
function stored({ scope }: WriteContext, object: NewObject, data: SecretData): StoredObject {
  const { refs: _refs, unit: _unit, sealed: _sealed, ...rest } = object;
  return { ...rest, tenantId: scope.tenantId, resourceVersion: '', deletingAtMs: null, sealedKeys: Object.keys(data) };
}

function withoutVersion(wire: JsonObject): JsonObject {
  if (!isObject(wire.metadata)) return wire;
  const { resourceVersion: _version, ...metadata } = wire.metadata;
  return { ...wire, metadata };
}

/** Lays what admission shows over the answer, one level deep in objects. */
function lay(over: JsonObject, wire: JsonObject): JsonObject {
  const laid: Record<string, JsonObject[string]> = { ...wire };
  for (const [name, value] of Object.entries(over)) {
    const below = laid[name];
    laid[name] = isObject(value) && isObject(below) ? { ...below, ...value } : value;
  }
  return laid;
}
