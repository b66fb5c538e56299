import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import { unanswered } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { isStatus } from '#services/cli/plane/status-failure.ts';

/** What discovery says of a resource. */
export type ServedResource = Readonly<{
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  verbs: readonly string[];
}>;

const discoveryAccept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Every resource that the plane serves, from aggregated discovery (kube-api.md 3.2). */
export async function discover(plane: Plane): Promise<readonly ServedResource[]> {
  const [core, groups] = await Promise.all([
    plane.call({ method: 'GET', path: '/api', accept: discoveryAccept }),
    plane.call({ method: 'GET', path: '/apis', accept: discoveryAccept }),
  ]);
  return [...items(core), ...items(groups)].flatMap(resourcesOfGroup);
}

function resourcesOfGroup(group: JsonObject): readonly ServedResource[] {
  const name = textAt(group, 'metadata', 'name') ?? '';
  return objects(at(group, 'versions')).flatMap((version) =>
    objects(at(version, 'resources')).map((resource) => ({
      group: name,
      version: textAt(version, 'version') ?? '',
      kind: textAt(resource, 'responseKind', 'kind') ?? '',
      plural: textAt(resource, 'resource') ?? '',
      singular: textAt(resource, 'singularResource') ?? '',
      shortNames: texts(at(resource, 'shortNames')),
      categories: texts(at(resource, 'categories')),
      namespaced: textAt(resource, 'scope') === 'Namespaced',
      verbs: texts(at(resource, 'verbs')),
    })),
  );
}

/** The resources behind a word: plural, singular, kind, short name, `plural.group`, or a category; several when commas join words. Throws CliFailure (exit 2). */
export function findResources(served: readonly ServedResource[], words: string): readonly ServedResource[] {
  return words.split(',').flatMap((word) => {
    const exact = served.filter((one) => isNamed(one, word.toLowerCase()));
    const [first] = exact;
    if (first !== undefined) return [first];
    const members = served.filter((one) => one.categories.includes(word.toLowerCase()) && one.verbs.includes('list'));
    if (members.length > 0) return members;
    throw unanswered(`the plane has no resource type ${JSON.stringify(word)}`, {
      next: `it has: ${[...new Set(served.map((one) => one.plural))].join(', ')}`,
    });
  });
}

/** Exactly one resource. */
export function findResource(served: readonly ServedResource[], word: string): ServedResource {
  const [first, ...others] = findResources(served, word);
  if (first === undefined || others.length > 0) throw unanswered(`${JSON.stringify(word)} names several resource types; name one of them`);
  return first;
}

export function findKind(served: readonly ServedResource[], apiVersion: string, kind: string): ServedResource | null {
  return served.find((one) => one.kind === kind && apiVersionOf(one) === apiVersion) ?? null;
}

function isNamed(one: ServedResource, word: string): boolean {
  const names = [one.plural, one.singular, one.kind.toLowerCase(), ...one.shortNames];
  return names.includes(word) || (one.group !== '' && names.some((name) => word === `${name}.${one.group}`));
}

export function apiVersionOf(resource: Pick<ServedResource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

type Addressed = Pick<ServedResource, 'group' | 'version' | 'plural' | 'namespaced'>;

/** Path of a collection (`namespace` null: all of them) or of one object. Pure. */
export function pathOf(resource: Addressed, namespace: string | null, name?: string): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== null ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${scope}/${resource.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** The object, or null when there is none that the user may see. */
export async function getOrNull(plane: Plane, path: string): Promise<JsonObject | null> {
  try {
    return await plane.call({ method: 'GET', path });
  } catch (error) {
    if (isStatus(error, 404)) return null;
    throw error;
  }
}

export type Listed = Readonly<{ items: readonly JsonObject[]; resourceVersion: string }>;

/** All pages of a list, with the version a watch goes on from. Throws above `maxItems`. */
export async function listAll(
  plane: Plane,
  path: string,
  query: Readonly<Record<string, string>> = {},
  maxItems = 100_000,
): Promise<Listed> {
  const found: JsonObject[] = [];
  let next = '';
  for (;;) {
    const page = await plane.call({ method: 'GET', path, query: { limit: '500', ...query, ...(next === '' ? {} : { continue: next }) } });
    const owner = { apiVersion: textAt(page, 'apiVersion') ?? '', kind: (textAt(page, 'kind') ?? '').replace(/List$/, '') };
    for (const item of items(page)) found.push({ ...owner, ...item });
    if (found.length > maxItems) throw unanswered(`the list of ${path} is above the limit of ${maxItems} objects`);
    next = textAt(page, 'metadata', 'continue') ?? '';
    if (next === '') return { items: found, resourceVersion: textAt(page, 'metadata', 'resourceVersion') ?? '' };
  }
}

function items(list: JsonObject): readonly JsonObject[] {
  return objects(at(list, 'items'));
}

export function objects(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
