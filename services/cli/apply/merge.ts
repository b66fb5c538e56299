import { canonicalJson, isObject, type Json, type JsonObject, parseJson, stringifyJson, textAt } from '#core/json.ts';

/** kubectl's own annotation, so that both may be used on one object. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object with what was applied written beside it, as kubectl does. A Secret carries no copy of its values. Pure. */
export function withLastApplied(object: JsonObject): JsonObject {
  if (textAt(object, 'kind') === 'Secret') return object;
  return mapMetadata(object, (annotations) => ({ ...annotations, [LAST_APPLIED]: `${stringifyJson(withoutLastApplied(object))}\n` }));
}

/**
 * The merge patch (RFC 7386) that brings the live object to what is wanted: fields that differ, and null for those that were applied
 * before and are wanted no more. Fields of others stay. Null when nothing differs. Pure.
 */
export function threeWayPatch(live: JsonObject, wanted: JsonObject): JsonObject | null {
  const { status: _status, ...asked } = withLastApplied(wanted);
  const before = lastApplied(live);
  const removed = before === null ? {} : deletions(before, withoutLastApplied(wanted), live);
  const changed = additions(live, asked);
  const patch = mergeObjects(removed, changed);
  const meaningful = withoutBookkeeping(patch);
  return Object.keys(meaningful).length === 0 && before !== null ? null : Object.keys(patch).length === 0 ? null : patch;
}

/** A patch that would only rewrite the annotation in another order of keys changes nothing. */
function withoutBookkeeping(patch: JsonObject): JsonObject {
  const metadata = patch['metadata'];
  if (!isObject(metadata) || !isObject(metadata['annotations'])) return patch;
  const { [LAST_APPLIED]: _copy, ...annotations } = metadata['annotations'];
  const { annotations: _old, ...rest } = metadata;
  const kept = { ...rest, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
  const { metadata: _metadata, ...others } = patch;
  return { ...others, ...(Object.keys(kept).length === 0 ? {} : { metadata: kept }) };
}

function lastApplied(live: JsonObject): JsonObject | null {
  const text = textAt(live, 'metadata', 'annotations', LAST_APPLIED);
  if (text === undefined) return null;
  try {
    const value = parseJson(text);
    return isObject(value) ? value : null;
  } catch (error) {
    // Written by hand: as if it were not there, so that nothing is deleted by mistake.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function additions(live: JsonObject, wanted: JsonObject): JsonObject {
  const patch: Record<string, Json> = {};
  for (const [key, value] of Object.entries(wanted)) {
    const have = live[key];
    if (isObject(value) && isObject(have)) {
      const inner = additions(have, value);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (have === undefined ? value !== null : canonicalJson(have) !== canonicalJson(value)) patch[key] = value;
  }
  return patch;
}

function deletions(before: JsonObject, wanted: JsonObject, live: JsonObject): JsonObject {
  const patch: Record<string, Json> = {};
  for (const [key, value] of Object.entries(before)) {
    const want = wanted[key];
    const have = live[key];
    if (want === undefined && have !== undefined) patch[key] = null;
    else if (isObject(value) && isObject(want) && isObject(have)) {
      const inner = deletions(value, want, have);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    }
  }
  return patch;
}

function mergeObjects(one: JsonObject, two: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...one };
  for (const [key, value] of Object.entries(two)) {
    const have = merged[key];
    merged[key] = isObject(have) && isObject(value) ? mergeObjects(have, value) : value;
  }
  return merged;
}

function withoutLastApplied(object: JsonObject): JsonObject {
  const annotations = isObject(object['metadata']) ? object['metadata']['annotations'] : undefined;
  if (!isObject(annotations) || annotations[LAST_APPLIED] === undefined) return object;
  return mapMetadata(object, ({ [LAST_APPLIED]: _copy, ...kept }) => kept);
}

function mapMetadata(object: JsonObject, change: (annotations: JsonObject) => JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  return { ...object, metadata: { ...metadata, annotations: change(annotations) } };
}
