import { at, canonicalJson, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import { FENCE_ANNOTATION } from '#core/object-id.ts';

/** Field manager of everything that Weir applies. */
export const FIELD_MANAGER = 'weir';
/** Field manager of what helm applies for us: the name of its program. */
export const HELM_MANAGER = 'helm';

type Taken = Readonly<{ name: string; exact: boolean; operation: 'Apply' | 'Update' }>;

/**
 * Whose fields are taken back (definitions.md 3.3, "Other writers"): kubectl in all its forms, and Flux's own managers when an object is adopted.
 * `flux-client-side-apply` is not among them: its fields stay. Public source: `fluxcd/kustomize-controller` kustomization_controller.go, its list of
 * field managers.
 */
const taken: readonly Taken[] = Object.freeze([
  // kubectl-client-side-apply, kubectl-edit, kubectl-patch, kubectl-create, kubectl-replace …
  { name: 'kubectl', exact: false, operation: 'Update' },
  { name: 'kubectl', exact: false, operation: 'Apply' },
  { name: 'before-first-apply', exact: true, operation: 'Update' },
  { name: 'kustomize-controller', exact: true, operation: 'Apply' },
  { name: 'kustomize-controller', exact: true, operation: 'Update' },
]);

function isTaken(entry: JsonObject): boolean {
  // Entries of a subresource (status, scale) belong to controllers and autoscalers.
  if ((textAt(entry, 'subresource') ?? '') !== '') return false;
  const manager = textAt(entry, 'manager') ?? '';
  return taken.some((one) => entry['operation'] === one.operation && (one.exact ? manager === one.name : manager.startsWith(one.name)));
}

function isOf(entry: JsonObject, manager: string): boolean {
  return textAt(entry, 'manager') === manager && entry['operation'] === 'Apply' && (textAt(entry, 'subresource') ?? '') === '';
}

export function managedFieldsOf(object: JsonObject): readonly JsonObject[] {
  const entries = at(object, 'metadata', 'managedFields');
  return Array.isArray(entries) ? entries.filter(isObject) : [];
}

/**
 * The managedFields after taking over what the listed managers own: their fields of our API version move into our entry, so that the next
 * apply drops those that are not desired; entries of another version are dropped, since their fields can't be merged. Null when there is nothing to
 * take. Pure.
 */
export function takeOver(entries: readonly JsonObject[], manager: string): readonly JsonObject[] | null {
  // Helm takes over what conflicts and leaves the rest: an object of a release is never rewritten for it.
  if (manager === HELM_MANAGER) return null;
  const theirs = entries.filter(isTaken);
  const ours = entries.find((entry) => isOf(entry, manager));
  if (theirs.length === 0 || ours === undefined) return null;
  const version = ours['apiVersion'];
  const merged = theirs
    .filter((entry) => entry['apiVersion'] === version)
    .reduce<Json>((all, entry) => union(all, entry['fieldsV1'] ?? {}), ours['fieldsV1'] ?? {});
  return entries.filter((entry) => !theirs.includes(entry)).map((entry) => (entry === ours ? { ...ours, fieldsV1: merged } : entry));
}

/** Union of two sets of fields: FieldsV1 is a trie whose keys are path elements. */
function union(a: Json, b: Json): Json {
  if (!isObject(a) || !isObject(b)) return a;
  const all: Record<string, Json> = { ...a };
  for (const [key, inner] of Object.entries(b)) all[key] = all[key] === undefined ? inner : union(all[key], inner);
  return all;
}

/**
 * What the metadata watch compares: our own entry and whether a listed manager has one. It changes exactly when somebody changes, removes or adds
 * a field that Weir would set back, and never when a controller writes status. Pure.
 */
export function ownershipMark(object: JsonObject): string {
  const entries = managedFieldsOf(object);
  const ours = entries.find((entry) => isOf(entry, FIELD_MANAGER));
  const shown = (entry: JsonObject): Json => [textAt(entry, 'manager') ?? '', entry['fieldsV1'] ?? null];
  const theirs = entries.filter((entry) => isTaken(entry) || isHelms(entry)).map(shown);
  return canonicalJson([ours === undefined ? null : withoutFence(ours['fieldsV1'] ?? null), theirs]);
}

/** Fields without the fence annotation, which each writing run sets anew, and without the map of annotations if it was alone in it. Pure. */
export function withoutFence(fields: Json): Json {
  const metadata = at(fields, 'f:metadata');
  const annotations = at(metadata, 'f:annotations');
  if (!isObject(fields) || !isObject(metadata) || !isObject(annotations)) return fields;
  const { [`f:${FENCE_ANNOTATION}`]: _fence, ...others } = annotations;
  const { 'f:annotations': _annotations, ...rest } = metadata;
  const isEmpty = Object.keys(others).every((key) => key === '.');
  return { ...fields, 'f:metadata': isEmpty ? rest : { ...rest, 'f:annotations': others } };
}

/** An object of a release is helm's, by server-side apply or, for older releases, by update. */
function isHelms(entry: JsonObject): boolean {
  return textAt(entry, 'manager') === HELM_MANAGER && (textAt(entry, 'subresource') ?? '') === '';
}

export function ownFields(object: JsonObject, manager: string): Json {
  const ours = managedFieldsOf(object).find((entry) => isOf(entry, manager));
  return ours === undefined ? null : withoutFence(ours['fieldsV1'] ?? null);
}
