import type { TSchema } from 'typebox';
import type { JsonObject } from './json.ts';

/** The verbs of the Kubernetes API that a resource may have. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
export const allVerbs: readonly Verb[] = Object.freeze(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']);
export const readVerbs: readonly Verb[] = Object.freeze(['get', 'list', 'watch']);

/** Roles of a tenant, weakest first (design.md section 4). */
export type Role = 'viewer' | 'editor' | 'admin';
export const roles: readonly Role[] = Object.freeze(['viewer', 'editor', 'admin']);

/**
 * Who may use one verb: the weakest role that may, or
 * `never` (the verb exists for nobody but the plane), `own` (each member for the objects they made, admins for all),
 * `platform` (no role of the tenant; platform admins where `platform` is `full`).
 */
export type Access = Role | 'never' | 'own' | 'platform';

/** What a platform admin may do without being a member: everything, read only, or nothing. */
export type PlatformAccess = 'full' | 'read' | 'none';

/** A column of `kubectl get` as in a CRD's additionalPrinterColumns. `jsonPath` is kubectl's small dialect. */
export type Column = Readonly<{
  name: string;
  type: 'string' | 'integer' | 'boolean' | 'date';
  jsonPath: string;
  priority?: 0 | 1;
  format?: string;
  description?: string;
}>;

export type Subresource = Readonly<{
  name: string;
  kind: string;
  group?: string;
  version?: string;
  verbs: readonly ('get' | 'create' | 'update' | 'patch')[];
  access: Access;
}>;

/**
 * What the API serves of a kind. Routes, discovery, OpenAPI, Table, permissions, CLI verbs and the contract tests are derived from it.
 * `body` describes every top-level field besides apiVersion, kind, metadata and status.
 */
export type Resource = Readonly<{
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  scope: 'Namespaced' | 'Cluster';
  verbs: readonly Verb[];
  subresources: readonly Subresource[];
  columns: readonly Column[];
  /** Schema of the object's own fields: `{spec}` for definitions, `{data, stringData, type, immutable}` for a Secret. */
  body: TSchema;
  status: TSchema | null;
  /** Status of a fresh object (Flux: `{observedGeneration: -1}`), or null for none. */
  initialStatus: JsonObject | null;
  access: Readonly<Record<Verb, Access>>;
  platform: PlatformAccess;
  /** Set on create by the plane; removed by the runtime when teardown is done. */
  finalizer: string | null;
  /** Field selectors beyond metadata.name and metadata.namespace, as paths such as `type` or `involvedObject.kind`. */
  fieldSelectors: readonly string[];
  /** Values under these top-level fields are secret: masked for who lacks `get` (design.md section 4). */
  secretFields: readonly string[];
  /** Rules the schema cannot say; each answer is one cause with its field. Pure. */
  validate?: (object: JsonObject) => readonly Readonly<{ field: string; message: string }>[];
}>;

export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** `kustomizations.kustomize.toolkit.fluxcd.io`, or `secrets` for the core group: the name Kubernetes uses in its messages. */
export function qualifiedName(resource: Pick<Resource, 'group' | 'plural'>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

type AccessShape = Readonly<{ read: Access; write: Access }>;

/** An access table with one rule for reading and one for writing. */
export function accessOf({ read, write }: AccessShape): Readonly<Record<Verb, Access>> {
  return Object.freeze({
    get: read,
    list: read,
    watch: read,
    create: write,
    update: write,
    patch: write,
    delete: write,
    deletecollection: write,
  });
}

/** Keeps literal types of a resource and freezes it. */
export function defineResource(resource: Resource): Resource {
  return Object.freeze(resource);
}
