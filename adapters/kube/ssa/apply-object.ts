import type { Answer } from '#adapters/kube/answer.ts';
import { isSame } from '#adapters/kube/differs.ts';
import { metadataOnly, metaOf } from '#adapters/kube/meta.ts';
import { deleteObject, getMeta, getObject, maxObjectBytes, metaIn, type Target, writeTimeoutMs } from '#adapters/kube/objects.ts';
import { collectionPath, objectPath } from '#adapters/kube/paths.ts';
import { pause, pollUntil } from '#adapters/kube/pause.ts';
import type { Session } from '#adapters/kube/session.ts';
import { managedFieldsOf, takeOver } from '#adapters/kube/ssa/managers.ts';
import { failed, isImmutableField, nameOf, refusal, succeeded, unknown } from '#adapters/kube/ssa/outcome.ts';
import { AppError } from '#core/errors.ts';
import { type JsonObject, stringifyJson, textAt } from '#core/json.ts';
import { DELIVERY_LABEL } from '#core/object-id.ts';
import type { Applied, ApplyItem, LiveMeta } from '#core/ports.ts';

export type ApplyContext = Readonly<{
  session: Session;
  /** Whose fields are written. */
  fieldManager: string;
  dryRun: boolean;
  nowMs(): number;
  /** What is known of the live object without a request: its metadata, null when it is known to have no label of ours, undefined when nothing is known. */
  known(target: Target): LiveMeta | null | undefined;
  /** Told of each answer to a write, so that the watch cache knows it before its event comes. */
  wrote(target: Target, object: JsonObject): void;
  signal: AbortSignal;
}>;

const conflictAttempts = 4;
const recreateTimeoutMs = 60_000;

/**
 * Server-side apply of one object. `unchanged` is exact: the version before (from the watch cache, else by one metadata request) is the version
 * after. Refusals come back as a result; AppError clusterUnreachable, clusterRefused and unknownResult are thrown.
 */
export async function applyObject(context: ApplyContext, target: Target, item: ApplyItem): Promise<Applied> {
  if (item.mode === 'IfNotPresent') return createOnly(context, target, item);
  if (context.dryRun) return tryObject(context, target, item);
  const before = await metaBefore(context, target);
  // Checked here as well as in the plan: somebody may have taken the object in between (fault 25).
  if (before !== null && isClaimed(before, item))
    return failed(item, `${nameOf(item.ref)}: it belongs to another delivery, which has to let go of it first`);
  const answer = await patch(context, target, item);
  if (answer.status === 200 || answer.status === 201) return judge(context, target, item, answer, before?.resourceVersion ?? null);
  if (item.recreate && isImmutableField(answer)) return recreate(context, target, item);
  return refusal(item, answer, context.session.account);
}

/** Null: an apply that finds an object changes it, since it lacks our label. */
async function metaBefore(context: ApplyContext, target: Target): Promise<LiveMeta | null> {
  const known = context.known(target);
  if (known !== undefined) return known;
  try {
    return await getMeta(context.session, target, context.signal);
  } catch (error) {
    // An account that may write and not read: the apply itself says what is refused.
    if (error instanceof AppError && error.code === 'clusterAnswer') return null;
    throw error;
  }
}

function isClaimed(live: LiveMeta, item: ApplyItem): boolean {
  const own = textAt(item.manifest, 'metadata', 'labels', DELIVERY_LABEL);
  return live.deliveryLabel !== null && own !== undefined && live.deliveryLabel !== own;
}

/** Nothing is written: the version does not move, so the whole object is compared. An immutable field that may be recreated counts as configured. */
async function tryObject(context: ApplyContext, target: Target, item: ApplyItem): Promise<Applied> {
  const live = await getObject(context.session, target, 'application/json', context.signal);
  const answer = await patch(context, target, item);
  const none = { id: item.id, uid: live === null ? null : (metaOf(live)?.uid ?? null), generation: null, resourceVersion: null };
  if (answer.status === 201) return { ...none, action: 'created' };
  if (answer.status === 200 && answer.body !== null) {
    const taken = item.mode === 'Override' && live !== null && takeOver(managedFieldsOf(live), context.fieldManager) !== null;
    return { ...none, action: !taken && live !== null && isSame(live, answer.body, context.fieldManager) ? 'unchanged' : 'configured' };
  }
  if (item.recreate && isImmutableField(answer))
    return { ...none, action: 'configured', message: 'would be made anew: an immutable field changed' };
  return refusal(item, answer, context.session.account);
}

/** A 409 here is only another writer in between (we force): tried again. */
async function patch(context: ApplyContext, target: Target, item: ApplyItem): Promise<Answer> {
  const body = stringifyJson(item.manifest);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await context.session.request({
      method: 'PATCH',
      path: objectPath(target.type, target.namespace, target.name),
      query: { fieldManager: context.fieldManager, force: 'true', ...dryRunQuery(context) },
      body,
      contentType: 'application/apply-patch+yaml',
      accept: context.dryRun ? 'application/json' : metadataOnly,
      timeoutMs: writeTimeoutMs,
      maxBytes: maxObjectBytes,
      signal: context.signal,
    });
    if (answer.status < 300 && answer.body !== null && !context.dryRun) context.wrote(target, answer.body);
    if (answer.status !== 409 || attempt >= conflictAttempts) return answer;
    await pause(50 * attempt, context.signal);
  }
}

async function judge(context: ApplyContext, target: Target, item: ApplyItem, answer: Answer, before: string | null): Promise<Applied> {
  if (answer.body === null) return unknown(item, `${nameOf(item.ref)}: the answer is no object`);
  const after = metaIn(answer.body, context.session, target);
  if (answer.status === 201) return succeeded(item, 'created', after);
  const merged = item.mode === 'Override' ? takeOver(managedFieldsOf(answer.body), context.fieldManager) : null;
  if (merged !== null) return adopt(context, target, item, after, merged);
  return succeeded(item, after.resourceVersion === before ? 'unchanged' : 'configured', after);
}

/**
 * Takes over what kubectl or Flux own: their fields become ours, so that a second apply drops what is not desired. Metadata alone changes by the
 * patch, so nothing restarts. The version in it makes it void when somebody wrote in between; the next run sees to that.
 */
async function adopt(context: ApplyContext, target: Target, item: ApplyItem, seen: LiveMeta, merged: readonly unknown[]): Promise<Applied> {
  const answer = await context.session.request({
    method: 'PATCH',
    path: objectPath(target.type, target.namespace, target.name),
    query: { fieldManager: context.fieldManager },
    body: JSON.stringify([
      { op: 'replace', path: '/metadata/managedFields', value: merged },
      { op: 'replace', path: '/metadata/resourceVersion', value: seen.resourceVersion },
    ]),
    contentType: 'application/json-patch+json',
    accept: metadataOnly,
    timeoutMs: writeTimeoutMs,
    maxBytes: maxObjectBytes,
    signal: context.signal,
  });
  if (answer.status === 409)
    return succeeded(item, 'configured', seen, 'another writer was faster; its fields are taken over by the next run');
  if (answer.status !== 200) return refusal(item, answer, context.session.account);
  const again = await patch(context, target, item);
  if (again.status !== 200 && again.status !== 201) return refusal(item, again, context.session.account);
  if (again.body === null) return unknown(item, `${nameOf(item.ref)}: the answer is no object`);
  return succeeded(item, 'configured', metaIn(again.body, context.session, target));
}

/** POST, not apply: it is exact under a race, and an object that exists is not touched. */
async function createOnly(context: ApplyContext, target: Target, item: ApplyItem): Promise<Applied> {
  const answer = await context.session.request({
    method: 'POST',
    path: collectionPath(target.type, target.namespace),
    query: { fieldManager: context.fieldManager, ...dryRunQuery(context) },
    body: stringifyJson(item.manifest),
    contentType: 'application/json',
    accept: metadataOnly,
    timeoutMs: writeTimeoutMs,
    maxBytes: maxObjectBytes,
    signal: context.signal,
  });
  if (answer.status === 201 && context.dryRun)
    return { id: item.id, action: 'created', uid: null, generation: null, resourceVersion: null };
  if (answer.status === 201 && answer.body !== null) {
    context.wrote(target, answer.body);
    return succeeded(item, 'created', metaIn(answer.body, context.session, target));
  }
  if (answer.status !== 409) return refusal(item, answer, context.session.account);
  const live = await getMeta(context.session, target, context.signal);
  if (live === null) return failed(item, `${nameOf(item.ref)}: it vanished while it was looked at`);
  return succeeded(item, 'unchanged', live, 'it exists and is only created when absent');
}

/** An immutable field changed and the definition asks for it (force): this very object is deleted, by uid, and made anew. */
async function recreate(context: ApplyContext, target: Target, item: ApplyItem): Promise<Applied> {
  const old = await getMeta(context.session, target, context.signal);
  if (old !== null) {
    const answer = await deleteObject(context.session, target, old.uid, context.signal);
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 409) return refusal(item, answer, context.session.account);
    const gone = await pollUntil(recreateTimeoutMs, context.nowMs, context.signal, async () => {
      const now = await getMeta(context.session, target, context.signal);
      return now === null || now.uid !== old.uid ? true : null;
    });
    if (gone === null)
      return failed(
        item,
        `${nameOf(item.ref)}: an immutable field changed; the old object was deleted and is still there after ${recreateTimeoutMs / 1_000} s (finalizers)`,
      );
  }
  const answer = await patch(context, target, item);
  if ((answer.status !== 200 && answer.status !== 201) || answer.body === null) return refusal(item, answer, context.session.account);
  return succeeded(item, 'created', metaIn(answer.body, context.session, target), 'made anew: an immutable field changed');
}

function dryRunQuery(context: ApplyContext): Readonly<Record<string, string>> {
  return context.dryRun ? { dryRun: 'All' } : {};
}
