import { canonicalJson, isObject, type Json, type JsonObject } from '#core/json.ts';
import { FENCE_ANNOTATION } from '#core/object-id.ts';
import type { ApplyItem } from '#core/ports.ts';
import type { Target } from './objects.ts';
import { type Asking, previewApply } from './preview.ts';
import { managedFieldsOf, ownFields, takeOver } from './ssa/managers.ts';

/**
 * Whether applying the manifest would change the live object: one read, one dry run, compared without what every write moves (version, generation,
 * times, status, the fence annotation). A lost ownership of fields counts as a difference. Throws AppError clusterAnswer with the API server's words.
 */
export async function wouldDiffer(asking: Asking, target: Target, item: ApplyItem, signal: AbortSignal): Promise<boolean> {
  const { live, after } = await previewApply(asking, target, item, signal);
  if (live === null) return true;
  if (item.mode === 'IfNotPresent') return false;
  if (item.mode === 'Override' && takeOver(managedFieldsOf(live), asking.fieldManager) !== null) return true;
  return !isSame(live, after, asking.fieldManager);
}

/** Whether a dry run left the object as it is, in content and in who owns our fields. Pure. */
export function isSame(live: JsonObject, dryRun: JsonObject, manager: string): boolean {
  return comparable(live) === comparable(dryRun) && canonicalJson(ownFields(live, manager)) === canonicalJson(ownFields(dryRun, manager));
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
  const { [FENCE_ANNOTATION]: _fence, ...others } = annotations;
  return Object.keys(others).length === 0 ? null : others;
}
