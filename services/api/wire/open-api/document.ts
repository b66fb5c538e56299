import { isObject, type Json, type JsonObject } from '#core/json.ts';
import { apiVersionOf, type Resource, type Verb } from '#core/resource.ts';
import { metaSchemas } from '#services/api/wire/open-api/meta-schemas.ts';
import { toOpenApi } from '#services/api/wire/open-api/schema.ts';
import { patchTypesOf } from '#services/api/write/patch.ts';

const metaPrefix = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/**
 * The OpenAPI 3.0 document of one group and version, made from the registry (kube-api.md 5.8). kubectl looks in it for a PATCH with the parameter
 * `fieldValidation`, written inline, and for the accepted patch types; a wrong type there turns every apply into a 415.
 */
export function groupDocument(resources: readonly Resource[], version: string): JsonObject {
  const paths: Record<string, Json> = {};
  const schemas: Record<string, Json> = { ...metaSchemas };
  for (const resource of resources) {
    Object.assign(paths, pathsOf(resource));
    Object.assign(schemas, schemasOf(resource));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Weir', version },
    paths,
    components: {
      schemas,
      securitySchemes: {
        BearerToken: { type: 'http', scheme: 'bearer', description: 'An ID token of the OIDC issuer, or a token made by Weir.' },
      },
    },
    security: [{ BearerToken: [] }],
  };
}

/** `io.fluxcd.toolkit.kustomize.v1.Kustomization`: the group backwards, as Kubernetes names schemas. */
export function schemaName({ group, version, kind }: Pick<Resource, 'group' | 'version' | 'kind'>): string {
  if (group === '') return `io.k8s.api.core.${version}.${kind}`;
  return [...group.split('.').toReversed(), version, kind].join('.');
}

function schemasOf(resource: Resource): Readonly<Record<string, JsonObject>> {
  const { group, version, kind } = resource;
  const gvk = [{ group, version, kind }];
  const body = toOpenApi(resource.body);
  const properties: JsonObject = isObject(body.properties) ? body.properties : {};
  const name = schemaName(resource);
  const object: JsonObject = {
    type: 'object',
    description: descriptionOf(resource),
    ...(Array.isArray(body.required) && body.required.length > 0 ? { required: body.required } : {}),
    properties: {
      apiVersion: { type: 'string', description: `Always ${apiVersionOf(resource)}.` },
      kind: { type: 'string', description: `Always ${kind}.` },
      metadata: { allOf: [ref(`${metaPrefix}.ObjectMeta`)], description: 'Metadata that all objects have.', default: {} },
      ...properties,
      ...(resource.status === null ? {} : { status: toOpenApi(resource.status) }),
    },
    'x-kubernetes-group-version-kind': gvk,
  };
  const list: JsonObject = {
    type: 'object',
    description: `A list of ${resource.plural}.`,
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: ref(`${metaPrefix}.ListMeta`),
      items: { type: 'array', items: ref(name) },
    },
    'x-kubernetes-group-version-kind': [{ group, version, kind: `${kind}List` }],
  };
  return { [name]: object, [`${name}List`]: list };
}

function descriptionOf(resource: Resource): string {
  const described: unknown = Reflect.get(resource.body, 'description');
  return typeof described === 'string' ? described : `${resource.kind} (${apiVersionOf(resource)}).`;
}

function ref(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

function pathsOf(resource: Resource): Readonly<Record<string, JsonObject>> {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  const isNamespaced = resource.scope === 'Namespaced';
  const collection = `${root}${isNamespaced ? '/namespaces/{namespace}' : ''}/${resource.plural}`;
  const place = isNamespaced ? [pathParameter('namespace', 'Namespace of the plane.')] : [];
  const list = operation(resource, 'list', 'get', listParameters, 200, 'List');
  const paths: Record<string, JsonObject> = {
    [collection]: withOperations(place, {
      get: list,
      post: operation(resource, 'create', 'post', writeParameters, 201, ''),
      delete: operation(resource, 'deletecollection', 'deletecollection', [...listParameters, ...deleteParameters], 200, 'Status'),
    }),
    [`${collection}/{name}`]: withOperations([pathParameter('name', 'Name of the object.'), ...place], {
      get: operation(resource, 'get', 'get', [pretty], 200, ''),
      put: operation(resource, 'update', 'put', writeParameters, 200, ''),
      patch: operation(resource, 'patch', 'patch', writeParameters, 200, ''),
      delete: operation(resource, 'delete', 'delete', deleteParameters, 200, 'Status'),
    }),
  };
  if (isNamespaced) paths[`${root}/${resource.plural}`] = withOperations([], { get: list });
  return paths;
}

function withOperations(parameters: readonly JsonObject[], operations: Readonly<Record<string, JsonObject | null>>): JsonObject {
  const served = Object.entries(operations).filter((entry): entry is [string, JsonObject] => entry[1] !== null);
  return { ...Object.fromEntries(served), ...(parameters.length === 0 ? {} : { parameters: [...parameters] }) };
}

/** Null for a verb that the kind does not have. */
function operation(
  resource: Resource,
  verb: Verb,
  action: string,
  parameters: readonly JsonObject[],
  code: number,
  answer: 'List' | 'Status' | '',
): JsonObject | null {
  if (!resource.verbs.includes(verb)) return null;
  const { group, version, kind } = resource;
  const name = answer === 'Status' ? `${metaPrefix}.Status` : `${schemaName(resource)}${answer}`;
  const body = requestBody(resource, verb);
  return {
    tags: [`${group === '' ? 'core' : group.replaceAll('.', '_')}_${version}`],
    description: `${verb} ${resource.plural}`,
    operationId: `${verb}${group.replaceAll(/[^a-z]/g, '')}${version}${resource.scope}${kind}`,
    parameters: [...parameters],
    ...(body === null ? {} : { requestBody: body }),
    responses: {
      [String(code)]: { description: 'OK', content: { 'application/json': { schema: ref(name) } } },
      401: { description: 'Unauthorized' },
    },
    'x-kubernetes-action': verb === 'list' ? 'list' : action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  };
}

function requestBody(resource: Resource, verb: Verb): JsonObject | null {
  if (verb === 'patch') {
    const schema = ref(`${metaPrefix}.Patch`);
    return { content: Object.fromEntries(patchTypesOf(resource).map((type) => [type, { schema }])), required: true };
  }
  if (verb === 'create' || verb === 'update') {
    const schema = ref(schemaName(resource));
    return { content: { 'application/json': { schema }, 'application/yaml': { schema } }, required: true };
  }
  if (verb !== 'delete' && verb !== 'deletecollection') return null;
  return { content: { 'application/json': { schema: ref(`${metaPrefix}.DeleteOptions`) } } };
}

function pathParameter(name: string, description: string): JsonObject {
  return { name, in: 'path', description, required: true, schema: { type: 'string', uniqueItems: true } };
}

function queryParameter(name: string, description: string, type: 'string' | 'integer' | 'boolean' = 'string'): JsonObject {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } };
}

const pretty = queryParameter('pretty', 'Accepted.');
const dryRun = queryParameter('dryRun', 'All: everything is checked and nothing is stored.');
const writeParameters: readonly JsonObject[] = [
  dryRun,
  queryParameter('fieldManager', 'Name of who writes, at most 128 printable characters.'),
  queryParameter('fieldValidation', 'Ignore, Warn or Strict: what happens to unknown and duplicate fields.'),
  pretty,
];
const deleteParameters: readonly JsonObject[] = [
  dryRun,
  queryParameter('gracePeriodSeconds', 'Ignored.', 'integer'),
  queryParameter('propagationPolicy', 'Background or Foreground.'),
];
const listParameters: readonly JsonObject[] = [
  queryParameter('allowWatchBookmarks', 'Send bookmarks.', 'boolean'),
  queryParameter('continue', 'Gets the next page.'),
  queryParameter('fieldSelector', 'Selects by the listed fields.'),
  queryParameter('labelSelector', 'Selects by labels.'),
  queryParameter('limit', 'Size of a page.', 'integer'),
  queryParameter('resourceVersion', 'Which state.'),
  queryParameter('resourceVersionMatch', 'Exact or NotOlderThan.'),
  queryParameter('sendInitialEvents', 'Watch: start with the current objects.', 'boolean'),
  queryParameter('timeoutSeconds', 'Watch: how long.', 'integer'),
  queryParameter('watch', 'Send changes.', 'boolean'),
  pretty,
];
