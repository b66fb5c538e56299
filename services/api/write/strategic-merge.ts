import { AppError } from '#core/errors.ts';
import { canonicalJson, isObject, type Json, type JsonObject } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';

/** How a list is merged: by a key of its items, or as a set of scalars. Lists without a rule are atomic. */
type ListRule = Readonly<{ is: 'map'; key: string }> | Readonly<{ is: 'set' }>;

const metadataRules: Readonly<Record<string, ListRule>> = Object.freeze({
  'metadata.ownerReferences': { is: 'map', key: 'uid' },
  'metadata.finalizers': { is: 'set' },
});

const PATCH = '$patch';
const RETAIN = '$retainKeys';
const ORDER = '$setElementOrder/';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const maxDepth = 200;

/**
 * Strategic merge patch for core kinds (kube-api.md 7.2), with the directives `$patch`, `$retainKeys`, `$setElementOrder` and `$deleteFromPrimitiveList`.
 * Merge keys come from the kind's own published schema. Throws AppError badRequest. Pure.
 */
export function strategicMerge(resource: Resource, current: JsonObject, patch: JsonObject): JsonObject {
  const rules = { ...metadataRules, ...rulesOf(resource) };
  const merged = mergeMaps(current, patch, '', rules, 0);
  if (merged === null) throw new AppError('badRequest', 'the patch leaves no object');
  return merged;
}

/** Rules that the schema states on top-level lists. */
function rulesOf(resource: Resource): Readonly<Record<string, ListRule>> {
  const properties: unknown = Reflect.get(resource.body, 'properties');
  const rules: Record<string, ListRule> = {};
  for (const [name, schema] of Object.entries(isObject(properties) ? properties : {})) {
    const key = isObject(schema) && schema['x-kubernetes-patch-strategy'] === 'merge' ? schema['x-kubernetes-patch-merge-key'] : undefined;
    if (typeof key === 'string') rules[name] = { is: 'map', key };
  }
  return rules;
}

type Rules = Readonly<Record<string, ListRule>>;

/** Null when the patch deletes the map. */
function mergeMaps(current: JsonObject, patch: JsonObject, path: string, rules: Rules, depth: number): JsonObject | null {
  if (depth > maxDepth) throw new AppError('badRequest', `the patch is nested deeper than ${maxDepth} levels`);
  const directive = patch[PATCH];
  if (directive === 'delete') return null;
  if (directive !== undefined && directive !== 'replace' && directive !== 'merge') throw unknownDirective(directive);
  const merged = new Map<string, Json>(directive === 'replace' ? [] : Object.entries(current));
  for (const [name, value] of Object.entries(patch)) if (!name.startsWith('$')) mergeField(merged, name, value, path, rules, depth);
  for (const [name, value] of Object.entries(patch))
    if (name.startsWith(DELETE_FROM)) deleteFrom(merged, name.slice(DELETE_FROM.length), value);
  for (const [name, value] of Object.entries(patch))
    if (name.startsWith(ORDER)) reorder(merged, name.slice(ORDER.length), value, path, rules);
  const retained = patch[RETAIN];
  if (Array.isArray(retained)) for (const name of merged.keys()) if (!retained.includes(name)) merged.delete(name);
  return Object.fromEntries(merged);
}

function mergeField(merged: Map<string, Json>, name: string, value: Json, path: string, rules: Rules, depth: number): void {
  const at = path === '' ? name : `${path}.${name}`;
  const before = merged.get(name);
  if (value === null) merged.delete(name);
  else if (isObject(value)) {
    const inner = mergeMaps(isObject(before) ? before : {}, value, at, rules, depth + 1);
    if (inner === null) merged.delete(name);
    else merged.set(name, inner);
  } else if (Array.isArray(value)) merged.set(name, mergeLists(Array.isArray(before) ? before : [], value, at, rules, depth));
  else merged.set(name, value);
}

function mergeLists(before: readonly Json[], patch: readonly Json[], path: string, rules: Rules, depth: number): readonly Json[] {
  const rule = Object.hasOwn(rules, path) ? rules[path] : undefined;
  if (rule === undefined) return patch.filter((item) => !isDirective(item));
  if (rule.is === 'set') return [...before, ...patch.filter((item) => !before.some((one) => same(one, item)))];
  if (patch.some((item) => isObject(item) && item[PATCH] === 'replace')) return patch.filter((item) => !isDirective(item));
  let items = [...before];
  for (const item of patch) items = mergeItem(items, item, rule.key, path, rules, depth);
  return items;
}

function mergeItem(items: readonly Json[], item: Json, key: string, path: string, rules: Rules, depth: number): Json[] {
  if (!isObject(item) || item[key] === undefined)
    throw new AppError('badRequest', `an item of ${path} in the patch lacks its merge key ${key}`);
  const index = items.findIndex((one) => isObject(one) && same(one[key] ?? null, item[key] ?? null));
  const found = items[index];
  const merged = mergeMaps(isObject(found) ? found : {}, item, path, rules, depth + 1);
  if (merged === null) return items.filter((_one, at) => at !== index);
  return index === -1 ? [...items, merged] : items.map((one, at) => (at === index ? merged : one));
}

function isDirective(item: Json): boolean {
  return isObject(item) && item[PATCH] !== undefined && Object.keys(item).length === 1;
}

function deleteFrom(merged: Map<string, Json>, name: string, values: Json): void {
  const list = merged.get(name);
  if (!Array.isArray(list) || !Array.isArray(values)) return;
  merged.set(
    name,
    list.filter((item: Json) => !values.some((value: Json) => same(item, value))),
  );
}

/** Items named in the order come in that order; others keep their place behind what they followed. */
function reorder(merged: Map<string, Json>, name: string, order: Json, path: string, rules: Rules): void {
  const list: readonly Json[] | null = listOf(merged.get(name));
  const wanted = listOf(order);
  if (list === null || wanted === null) return;
  const rule = rules[path === '' ? name : `${path}.${name}`];
  const keyOf = (item: Json): string => canonicalJson(rule?.is === 'map' && isObject(item) ? (item[rule.key] ?? null) : item);
  const places = wanted.map(keyOf);
  const named = list.filter((item) => places.includes(keyOf(item))).toSorted((a, b) => places.indexOf(keyOf(a)) - places.indexOf(keyOf(b)));
  const others = list.filter((item) => !places.includes(keyOf(item)));
  merged.set(name, [...named, ...others]);
}

function listOf(value: Json | undefined): readonly Json[] | null {
  return Array.isArray(value) ? value : null;
}

function same(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function unknownDirective(directive: Json): AppError {
  return new AppError('badRequest', `unknown $patch directive ${JSON.stringify(directive).slice(0, 64)}: replace, delete or merge`);
}
