import { appendAudit } from '#adapters/postgres/audit.ts';
import { deleteObject, getObject, type UpdateExtra, updateObject } from '#adapters/postgres/objects.ts';
import { sealSecret } from '#adapters/postgres/secrets.ts';
import { rollbackWith, type TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { AppError } from '#core/errors.ts';
import { canonicalJson, isObject, type Json, type JsonObject } from '#core/json.ts';
import type { Verb } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import type { WriteContext } from '#services/api/admission/admission.ts';
import { admissionOf } from '#services/api/admission/table.ts';
import { principalKey } from '#services/api/auth/principal-key.ts';
import { openedValues } from '#services/api/read/present.ts';
import type { Draft } from '#services/api/validate/draft.ts';
import { LAST_APPLIED, toWire } from '#services/api/wire/object.ts';
import { conflict, invalid, objectNotFound } from '#services/api/wire/status.ts';
import { auditOfWrite } from '#services/api/write/audit.ts';
import { beforeCommit } from '#services/api/write/create.ts';
import { openLastApplied, sealLastApplied } from '#services/api/write/last-applied.ts';
import { untilWon } from '#services/api/write/retry.ts';
import {
  bytesOf,
  isSameData,
  newPlaceholder,
  type Placeholder,
  refuseCopies,
  type SecretData,
  splitSecret,
} from '#services/api/write/secret-values.ts';
import { inWireWords } from '#services/api/write/store-errors.ts';
import { consequences, hostOf, refsOf } from '#services/api/write/work.ts';

/** What a PUT or PATCH makes of the current object. `draftOf` runs inside the transaction and is pure. */
export type Change = Readonly<{
  verb: Extract<Verb, 'update' | 'patch'>;
  name: string;
  reveal: boolean;
  onlyOwn: boolean;
  /** Null: no precondition. */
  version: string | null;
  draftOf: (current: JsonObject) => Draft;
}>;

export type Changed = Readonly<{ wire: JsonObject; warnings: readonly string[] }>;

/** Changes one object; a patch without a precondition is tried again when somebody else was faster (as kube-apiserver does). Throws AppError. */
export async function changeObject(context: WriteContext, change: Change): Promise<Changed> {
  const { deps } = context;
  await deps.failpoints.hit('a1');
  const changed = await untilWon(change.verb === 'patch' && change.version === null, () => changeOnce(context, change));
  await deps.failpoints.hit('a3');
  return changed;
}

function changeOnce(context: WriteContext, change: Change): Promise<Changed> {
  const { deps, scope, dryRun } = context;
  return deps.db.inTenant<Changed>(scope, async (tx) => {
    const before = await current(tx, context, change);
    const changed = await changeIn(tx, context, change, before);
    await beforeCommit(tx, context);
    return dryRun ? rollbackWith(changed) : changed;
  });
}

/** The stored object under the request's name, or 404. */
export async function current(
  tx: TenantTx,
  { resource, call }: WriteContext,
  { name, onlyOwn }: Pick<Change, 'name' | 'onlyOwn'>,
): Promise<StoredObject> {
  const namespace = resource.scope === 'Cluster' ? '' : (call.params.namespace ?? '');
  const found = await getObject(tx, { kind: resource.kind, namespace, name });
  if (found === null || (onlyOwn && found.createdBy !== principalKey(call.principal))) throw objectNotFound(resource, name);
  return found;
}

async function changeIn(tx: TenantTx, context: WriteContext, change: Change, stored: StoredObject): Promise<Changed> {
  const { resource, deps } = context;
  const before = change.reveal ? await openLastApplied(tx, deps.keys, resource, stored) : stored;
  if (change.verb === 'update' && change.version === null) throw versionMissing(context, change.name);
  if (change.version !== null && change.version !== before.resourceVersion) throw conflict(resource, before.name);
  const secret = await openForWrite(tx, context, change, before);
  const admission = admissionOf(resource.kind);
  const wanted = change.draftOf(toWire(resource, before, secret.shown));
  checkIdentity(context, before, wanted);
  const draft = (await admission.beforeUpdate?.(tx, context, before, wanted)) ?? wanted;
  const next = nextObject(context, before, draft, secret);
  if (next.object === null) return { wire: toWire(resource, before, change.reveal ? secret.data : 'masked'), warnings: draft.warnings };
  const shown = next.object;
  const after = await sealLastApplied(tx, deps.keys, resource, shown, stored);
  await appendAudit(tx, auditOfWrite(context, change.verb, stored, stored, after));
  if (after.deletingAtMs !== null && after.finalizers.length === 0) {
    await admission.besideDelete?.(tx, context, before);
    const gone = await inWireWords(resource, before.name, () => deleteObject(tx, stored, consequences(resource, stored, null)));
    return {
      wire: toWire(resource, { ...shown, resourceVersion: gone.resourceVersion }, change.reveal ? next.data : 'masked'),
      warnings: draft.warnings,
    };
  }
  await admission.besideUpdate?.(tx, context, before, after);
  const extra = await extraOf(tx, context, before, after, next);
  const made = await inWireWords(resource, before.name, () =>
    updateObject(tx, stored, after, consequences(resource, stored, after), extra),
  );
  return {
    wire: toWire(resource, { ...made, annotations: shown.annotations }, change.reveal ? next.data : 'masked'),
    warnings: draft.warnings,
  };
}

type SecretState = Readonly<{ isSecret: boolean; data: SecretData; shown: SecretData; placeholder: Placeholder }>;

/** Values for the patch to work on: the real ones for who may read them, placeholders for who may not. */
async function openForWrite(
  tx: TenantTx,
  { resource, deps }: WriteContext,
  { reveal }: Change,
  before: StoredObject,
): Promise<SecretState> {
  const placeholder = newPlaceholder();
  const isSecret = resource.secretFields.length > 0;
  if (!isSecret) return { isSecret, data: {}, shown: {}, placeholder };
  const data = await openedValues(tx, deps.keys, before);
  const shown = reveal ? data : Object.fromEntries(Object.keys(data).map((key) => [key, placeholder.of(key)]));
  return { isSecret, data, shown, placeholder };
}

function checkIdentity({ resource }: WriteContext, before: StoredObject, { metadata }: Draft): void {
  if (metadata.name !== before.name)
    throw new AppError('badRequest', `the name of the object (${metadata.name}) does not match the name on the URL (${before.name})`);
  if (metadata.namespace !== '' && metadata.namespace !== before.namespace) {
    throw new AppError('badRequest', 'the namespace of the provided object does not match the namespace sent on the request');
  }
  if (metadata.uid !== null && metadata.uid !== before.uid) {
    throw invalid(resource, before.name, [
      { reason: 'FieldValueInvalid', field: 'metadata.uid', message: `Invalid value: ${JSON.stringify(metadata.uid)}: field is immutable` },
    ]);
  }
  if (metadata.resourceVersion !== null && metadata.resourceVersion !== before.resourceVersion) throw conflict(resource, before.name);
}

type Next = Readonly<{ object: StoredObject | null; data: SecretData; dataMoved: boolean }>;

/** The object after the change, or null when nothing changes. */
function nextObject({ resource }: WriteContext, before: StoredObject, draft: Draft, secret: SecretState): Next {
  const { metadata } = draft;
  checkFinalizers(resource, before, draft);
  const hidden = !isSameMap(secret.shown, secret.data);
  if (hidden) refuseCopies(resource, before.name, secret.placeholder, plainMetadata(draft));
  const split = secret.isSecret
    ? splitSecret(resource, before.name, draft.body, hidden ? secret : null)
    : { body: draft.body, data: {}, given: false };
  // For somebody who may not read, an equal value must not show as "nothing changed": that would confirm a guess.
  const dataMoved = secret.isSecret && ((hidden && split.given) || !isSameData(split.data, secret.data));
  if (dataMoved && before.body.immutable === true) {
    throw invalid(resource, before.name, [
      { reason: 'FieldValueForbidden', field: 'data', message: 'Forbidden: field is immutable when `immutable` is set' },
    ]);
  }
  const bodyMoved = dataMoved || canonicalJson(split.body) !== canonicalJson(before.body);
  const after: StoredObject = {
    ...before,
    labels: metadata.labels,
    annotations: hidden ? keepLastApplied(before, metadata.annotations) : metadata.annotations,
    finalizers: metadata.finalizers,
    ownerReferences: metadata.ownerReferences,
    body: split.body,
    generation: bodyMoved ? before.generation + 1 : before.generation,
    sealedKeys: Object.keys(split.data),
  };
  const isSame = !bodyMoved && canonicalJson(metaOf(after)) === canonicalJson(metaOf(before));
  return { object: isSame ? null : after, data: split.data, dataMoved };
}

function isSameMap(a: SecretData, b: SecretData): boolean {
  return a === b || isSameData(a, b);
}

/** The annotation was not shown to the writer, so its absence in what they sent means nothing. */
function keepLastApplied(before: StoredObject, annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const kept = before.annotations[LAST_APPLIED];
  return kept === undefined || Object.hasOwn(annotations, LAST_APPLIED) ? annotations : { ...annotations, [LAST_APPLIED]: kept };
}

function plainMetadata({ metadata }: Draft): Json {
  return [metadata.labels, metadata.annotations, [...metadata.finalizers], metadata.ownerReferences.map((one) => ({ ...one }))];
}

function metaOf(object: StoredObject): Json {
  return [object.labels, object.annotations, [...object.finalizers], object.ownerReferences.map((one) => ({ ...one }))];
}

function checkFinalizers(resource: WriteContext['resource'], before: StoredObject, { metadata }: Draft): void {
  if (before.deletingAtMs === null) return;
  const added = metadata.finalizers.filter((name) => !before.finalizers.includes(name));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
  throw invalid(resource, before.name, [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers', message }]);
}

async function extraOf(
  tx: TenantTx,
  { resource, deps }: WriteContext,
  before: StoredObject,
  after: StoredObject,
  next: Next,
): Promise<UpdateExtra> {
  const moved = before.generation !== after.generation;
  const refs = moved ? { refs: refsOf(resource, after.body, after.namespace, after.name), host: hostOf(after.body) } : {};
  if (!next.dataMoved) return refs;
  if (Object.keys(next.data).length === 0) return { ...refs, sealed: null };
  return { ...refs, sealed: await sealSecret(tx, deps.keys, { uid: before.uid, version: after.generation }, bytesOf(next.data)) };
}

/** The version that the body of a PUT is based on; null when it names none. */
export function versionOfPut(value: JsonObject): string | null {
  const metadata = isObject(value.metadata) ? value.metadata : {};
  return typeof metadata.resourceVersion === 'string' && metadata.resourceVersion !== '' ? metadata.resourceVersion : null;
}

/** A PUT must carry the version it is based on (kube-api.md 2.3). Said only of an object that is there: a missing one is 404, like a hidden one. */
function versionMissing({ resource }: WriteContext, name: string): AppError {
  const cause = {
    reason: 'FieldValueInvalid',
    field: 'metadata.resourceVersion',
    message: 'Invalid value: 0x0: must be specified for an update',
  } as const;
  return new AppError(
    'invalid',
    `${resource.plural}${resource.group === '' ? '' : `.${resource.group}`} "${name}" is invalid: ${cause.field}: ${cause.message}`,
    {
      name,
      group: resource.group,
      kind: resource.plural,
      causes: [cause],
    },
  );
}
