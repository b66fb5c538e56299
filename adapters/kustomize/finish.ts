import type { Json } from '#core/json.ts';
import { at, isObject, textAt } from '#core/json.ts';
import type { BuildSpec, Manifest } from '#core/ports.ts';
import { describe, OBJECT_LIMITS } from './objects.ts';
import { refuse } from './refusal.ts';

/**
 * The last steps on the list of objects: lists become their items, every object has apiVersion, kind and a name, none stands twice, and common labels and
 * annotations are set (they win over what is there). Throws buildFailed naming the object. Pure.
 */
export function finishObjects(
  objects: readonly Manifest[],
  build: Pick<BuildSpec, 'commonLabels' | 'commonAnnotations'>,
): readonly Manifest[] {
  const flat = objects.flatMap(flatten);
  if (flat.length > OBJECT_LIMITS.maxObjects)
    throw refuse(`the build has ${flat.length} objects, the limit is ${OBJECT_LIMITS.maxObjects}`);
  const seen = new Set<string>();
  for (const [index, object] of flat.entries()) {
    const identity = identityOf(object, index + 1);
    if (seen.has(identity)) throw refuse(`${describe(object)} stands twice in the build`);
    seen.add(identity);
  }
  return flat.map((object) => withCommonMetadata(object, build));
}

function flatten(object: Manifest): readonly Manifest[] {
  const items = object['items'];
  if (!Array.isArray(items) || !(textAt(object, 'kind') ?? '').endsWith('List')) return [object];
  return items.flatMap((item: Json) => {
    if (!isObject(item)) throw refuse(`${describe(object)} has an item that is no object`);
    return flatten(item);
  });
}

/** Group, kind, namespace and name: two versions of one object are the same object. */
function identityOf(object: Manifest, position: number): string {
  for (const path of [['apiVersion'], ['kind'], ['metadata', 'name']]) {
    const value = at(object, ...path);
    if (typeof value !== 'string' || value === '')
      throw refuse(`object ${position} (${describe(object)}) has no ${path.join('.')}, or it is no text`);
  }
  const namespace = at(object, 'metadata', 'namespace');
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string')
    throw refuse(`${describe(object)}: metadata.namespace is no text`);
  const [group = ''] = (textAt(object, 'apiVersion') ?? '').includes('/') ? (textAt(object, 'apiVersion') ?? '').split('/') : [''];
  return JSON.stringify([group, textAt(object, 'kind'), namespace ?? '', textAt(object, 'metadata', 'name')]);
}

function withCommonMetadata(object: Manifest, build: Pick<BuildSpec, 'commonLabels' | 'commonAnnotations'>): Manifest {
  const metadata = object['metadata'];
  if (!isObject(metadata)) return object;
  const labels = merged(metadata['labels'], build.commonLabels);
  const annotations = merged(metadata['annotations'], build.commonAnnotations);
  return {
    ...object,
    metadata: { ...metadata, ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) },
  };
}

function merged(own: Json | undefined, common: Readonly<Record<string, string>>): Json | undefined {
  if (Object.keys(common).length === 0) return own;
  return { ...(isObject(own) ? own : {}), ...common };
}
