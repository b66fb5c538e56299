import { isObject, type Json, type JsonObject } from '#core/json.ts';

/** Maps, the later over the earlier: maps are merged, everything else is replaced (fluxcd/pkg chartutil MergeMaps). Pure. */
export function mergeMaps(base: JsonObject, over: JsonObject): JsonObject {
  const merged = new Map<string, Json>(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const before = merged.get(key);
    merged.set(key, isObject(before) && isObject(value) ? mergeMaps(before, value) : value);
  }
  // fromEntries defines own properties: a key such as __proto__ cannot reach a prototype.
  return Object.fromEntries(merged);
}
