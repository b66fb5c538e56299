import { type Json, type JsonObject, canonicalJson, isObject, stringifyJson } from '#core/json.ts';
import { AppError } from '#core/errors.ts';
import type { ApplyItem } from '#core/ports.ts';
import { cutMessage, messageOf } from '#adapters/kube/answer.ts';
import { type Target, getObject, maxObjectBytes, writeTimeoutMs } from '#adapters/kube/objects.ts';
import { objectPath } from '#adapters/kube/paths.ts';
import { maskSecretValues } from '#adapters/kube/secret-mask.ts';
import type { Session } from '#adapters/kube/session.ts';
import { fenceAnnotation, fieldManager, managedFieldsOf, ownFields, takeOver } from '#adapters/kube/ssa/managers.ts';

/**
 * Whether applying the manifest would change the live object: one read, one dry run, compared without what every write moves (version, generation,
 * times, status, the fence annotation). A lost ownership of fields counts as a difference. Throws AppError clusterAnswer with the API server's words.
 */
export async function wouldDiffer(session: Session, target: Target, item: ApplyItem, signal: AbortSignal): Promise<boolean> {
  const live = await getObject(session, target, 'application/json', signal);
  if (live === null) return true;
  if (item.mode === 'IfNotPresent') return false;
  if (item.mode === 'Override' && takeOver(managedFieldsOf(live)) !== null) return true;
  const answer = await session.request({
    method: 'PATCH',
    path: objectPath(target.type, target.namespace, target.name),
    query: { fieldManager, force: 'true', dryRun: 'All' },
    body: stringifyJson(item.manifest),
    contentType: 'application/apply-patch+yaml',
    timeoutMs: writeTimeoutMs,
    maxBytes: maxObjectBytes,
    signal,
  });
  if (answer.status !== 200 || answer.body === null) {
    throw new AppError('clusterAnswer', cutMessage(`${item.ref.kind} ${item.ref.name}: ${maskSecretValues(messageOf(answer), item.manifest)}`));
  }
  return !isSame(live, answer.body);
}

/** Whether a dry run left the object as it is, in content and in who owns our fields. Pure. */
export function isSame(live: JsonObject, dryRun: JsonObject): boolean {
  return comparable(live) === comparable(dryRun) && canonicalJson(ownFields(live)) === canonicalJson(ownFields(dryRun));
}

function comparable(object: JsonObject): string {
  const { status: _status, metadata, ...rest } = object;
  const kept: Record<string, Json> = {};
  for (const [key, value] of Object.entries(isObject(metadata) ? metadata : {})) {
    if (key === 'managedFields' || key === 'resourceVersion' || key === 'generation') continue;
    const inner = key === 'annotations' ? withoutFenceAnnotation(value) : value;
    if (inner !== null) kept[key] = inner;
  }
  return canonicalJson({ ...rest, metadata: kept });
}

function withoutFenceAnnotation(annotations: Json): Json {
  if (!isObject(annotations)) return annotations;
  const { [fenceAnnotation]: _fence, ...others } = annotations;
  return Object.keys(others).length === 0 ? null : others;
}
