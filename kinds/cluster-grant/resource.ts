import { at, type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ClusterGrantBody } from './schema.ts';

/** weir.dev/v1 ClusterGrant, beside its Cluster. */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'ClusterGrant',
  plural: 'clustergrants',
  singular: 'clustergrant',
  shortNames: [],
  categories: ['weir'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [],
  columns: [
    { name: 'Cluster', type: 'string', jsonPath: '.spec.cluster' },
    { name: 'Tenants', type: 'string', jsonPath: '.spec.tenants[*].tenant' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: ClusterGrantBody,
  status: null,
  initialStatus: null,
  access: accessOf({ read: 'viewer', write: 'admin' }),
  platform: 'full',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
  validate: checkTenants,
});

function checkTenants(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const entries = at(object, 'spec', 'tenants');
  if (!Array.isArray(entries)) return [];
  const seen = new Set<string>();
  const found: { field: string; message: string }[] = [];
  for (const [index, entry] of entries.entries()) {
    const tenant = textAt(entry, 'tenant') ?? '';
    if (seen.has(tenant)) found.push({ field: `spec.tenants[${index}]`, message: `Duplicate value: tenant "${tenant}"` });
    seen.add(tenant);
  }
  return found;
}
