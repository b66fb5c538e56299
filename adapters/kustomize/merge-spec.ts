import type { Json, JsonObject } from '#core/json.ts';
import { isObject } from '#core/json.ts';
import type { BuildSpec } from '#core/ports.ts';
import { list, objectList } from './prescan/references.ts';

/**
 * The kustomization with the definition's spec merged in (definitions.md 3.2 step 2): single values replace, `patches` and `components` are appended, `images`
 * merge by name. `hasFolder` says whether a component exists, for `ignoreMissingComponents`. Throws buildFailed for lists that are none. Pure.
 */
export function mergeSpec(original: JsonObject, build: BuildSpec, file: string, hasFolder: (component: string) => boolean): JsonObject {
  const merged: Record<string, Json> = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...original };
  if (build.targetNamespace !== null) merged['namespace'] = build.targetNamespace;
  if (build.namePrefix !== null) merged['namePrefix'] = build.namePrefix;
  if (build.nameSuffix !== null) merged['nameSuffix'] = build.nameSuffix;
  if (build.buildMetadata !== null) merged['buildMetadata'] = build.buildMetadata;
  const components = build.ignoreMissingComponents ? build.components.filter(hasFolder) : build.components;
  append(merged, 'patches', build.patches, file);
  append(merged, 'components', components, file);
  if (build.images.length > 0) merged['images'] = mergeImages(objectList(original['images'], file, 'images'), build.images);
  return merged;
}

function append(merged: Record<string, Json>, field: string, added: readonly Json[], file: string): void {
  if (added.length > 0) merged[field] = [...list(merged[field], file, field), ...added];
}

/** `newName` alone keeps the file's tag; `newTag` and `digest` are one unit, so that either replaces both, and of the two the digest wins (kustomize-controller 1.9.4, #1714). */
function mergeImages(inFile: readonly JsonObject[], inSpec: readonly JsonObject[]): readonly JsonObject[] {
  const merged = [...inFile];
  for (const image of inSpec) {
    const index = merged.findIndex((one) => one['name'] === image['name']);
    const known = merged[index];
    if (known === undefined) merged.push(mergeImage({}, image));
    else merged[index] = mergeImage(known, image);
  }
  return merged;
}

function mergeImage(known: JsonObject, image: JsonObject): JsonObject {
  const setsVersion = isSet(image['newTag']) || isSet(image['digest']);
  const kept = Object.entries(known).filter(([key]) => !setsVersion || (key !== 'newTag' && key !== 'digest'));
  const set = Object.entries(image).filter(([key, value]) => isSet(value) && !(key === 'newTag' && isSet(image['digest'])));
  return { ...Object.fromEntries(kept), ...Object.fromEntries(set) };
}

function isSet(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== '' && !isObject(value);
}
