import { at, isObject, type Json, type JsonObject } from '../json.ts';

/**
 * Whether `spec.accessFrom` of an object lets a namespace with these labels use it (definitions.md 5.1): entries are alternatives, an empty map takes every
 * namespace, and without `accessFrom` only the own namespace may. Pure.
 */
export function allowsNamespace(spec: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const selectors = at(spec, 'accessFrom', 'namespaceSelectors');
  return Array.isArray(selectors) && selectors.some((one: Json) => fits(at(one, 'matchLabels'), labels));
}

function fits(wanted: Json | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (wanted === undefined) return true;
  return isObject(wanted) && Object.entries(wanted).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
