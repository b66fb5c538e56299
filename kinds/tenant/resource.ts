import { at, type JsonObject, textAt } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import { TenantBody } from './schema.ts';

/** weir.dev/v1 Tenant. Platform admins own it; admins of the tenant may change members and groups only (services/api/admission/tenant.ts). */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'Tenant',
  plural: 'tenants',
  singular: 'tenant',
  shortNames: [],
  categories: ['weir'],
  scope: 'Cluster',
  verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  subresources: [],
  columns: [
    { name: 'Display Name', type: 'string', jsonPath: '.spec.displayName' },
    { name: 'Suspended', type: 'boolean', jsonPath: '.spec.suspend' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: TenantBody,
  status: null,
  initialStatus: null,
  access: {
    get: 'viewer',
    list: 'viewer',
    watch: 'viewer',
    create: 'platform',
    update: 'platform',
    patch: 'admin',
    delete: 'platform',
    deletecollection: 'never',
  },
  platform: 'full',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
  validate: checkTenant,
});

function checkTenant(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  return [...doubled(object, 'members', 'subject'), ...doubled(object, 'groups', 'oidcGroup')];
}

/** List maps hold each key once, as their schema says. */
function doubled(object: JsonObject, list: string, key: string): readonly Readonly<{ field: string; message: string }>[] {
  const items = at(object, 'spec', list);
  if (!Array.isArray(items)) return [];
  const seen = new Set<string>();
  const found: { field: string; message: string }[] = [];
  for (const [index, item] of items.entries()) {
    const value = textAt(item, key) ?? '';
    if (seen.has(value)) found.push({ field: `spec.${list}[${index}]`, message: `Duplicate value: ${key} "${value}"` });
    seen.add(value);
  }
  return found;
}
