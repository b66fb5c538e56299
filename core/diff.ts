import { canonicalJson, isObject, type Json, type JsonObject } from './json.ts';
import type { ObjectRef } from './ports.ts';

/** One field that would change. Values of Secrets are never in it. */
export type FieldChange = Readonly<{ path: string; from: Json; to: Json }>;
export type ObjectDiff = Readonly<{
  id: string;
  ref: ObjectRef;
  change: 'added' | 'changed' | 'removed' | 'unchanged';
  fields: readonly FieldChange[];
}>;
/** What a definition would change on one cluster. `error` says why it could not be told there; the others are told all the same. */
export type ClusterDiff = Readonly<{ cluster: string; objects: readonly ObjectDiff[]; error?: string }>;

const MAX_FIELDS = 500;
const MASKED = '(value hidden)';
/** Moved by every write, or the plane's own mark: no difference that anybody asked for. */
const QUIET_METADATA: readonly string[] = Object.freeze(['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp']);
const FENCE = 'weir.dev/fence';

/** The fields in which two states of one object differ, in order of their paths. For a Secret only that a value changed is said. Pure. */
export function fieldChanges(from: JsonObject | null, to: JsonObject | null): readonly FieldChange[] {
  const changes: FieldChange[] = [];
  walk(clean(from), clean(to), '', changes);
  const secret = (to ?? from)?.['kind'] === 'Secret';
  const shown = secret ? changes.map(masked) : changes;
  return shown.slice(0, MAX_FIELDS);
}

function clean(object: JsonObject | null): Json {
  if (object === null) return null;
  const { status: _status, metadata, ...rest } = object;
  if (!isObject(metadata)) return rest;
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !QUIET_METADATA.includes(key)));
  const annotations = kept['annotations'];
  if (isObject(annotations)) {
    const { [FENCE]: _fence, 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...others } = annotations;
    if (Object.keys(others).length === 0) delete kept['annotations'];
    else kept['annotations'] = others;
  }
  return { ...rest, metadata: kept };
}

function walk(from: Json, to: Json, path: string, changes: FieldChange[]): void {
  if (canonicalJson(from ?? null) === canonicalJson(to ?? null)) return;
  if (isObject(from) && isObject(to)) {
    for (const key of [...new Set([...Object.keys(from), ...Object.keys(to)])].sort())
      walk(from[key] ?? null, to[key] ?? null, path === '' ? key : `${path}.${key}`, changes);
    return;
  }
  if (Array.isArray(from) && Array.isArray(to) && from.length === to.length) {
    for (const [index, value] of from.entries()) walk(value, to[index] ?? null, `${path}[${index}]`, changes);
    return;
  }
  changes.push({ path, from, to });
}

function masked(change: FieldChange): FieldChange {
  const holds = change.path === '' || /^(data|stringData)(\.|$)/.test(change.path);
  if (!holds) return change;
  return { path: change.path, from: change.from === null ? null : MASKED, to: change.to === null ? null : MASKED };
}
