import { X509Certificate } from 'node:crypto';
import { type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ClusterBody, ClusterStatus } from './schema.ts';

const PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** weir.dev/v1 Cluster. Shared ones live in `weir-system` and belong to the platform. */
export const resource = Object.freeze<Resource>({
  group: 'weir.dev',
  version: 'v1',
  kind: 'Cluster',
  plural: 'clusters',
  singular: 'cluster',
  shortNames: [],
  categories: ['weir'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'credentials', kind: 'ClusterCredentials', verbs: ['get', 'create'], access: 'admin' }],
  columns: [
    { name: 'Server', type: 'string', jsonPath: '.spec.server' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Version', type: 'string', jsonPath: '.status.version' },
    { name: 'Paused', type: 'boolean', jsonPath: '.spec.paused', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: ClusterBody,
  status: ClusterStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'admin' }),
  platform: 'full',
  finalizer: null,
  fieldSelectors: [],
  secretFields: [],
  validate: checkCluster,
});

function checkCluster(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const found: { field: string; message: string }[] = [];
  const server = textAt(object, 'spec', 'server') ?? '';
  if (!URL.canParse(server)) found.push({ field: 'spec.server', message: 'must be a URL' });
  const bundle = textAt(object, 'spec', 'caBundle') ?? '';
  const parts = bundle.match(PEM) ?? [];
  if (bundle.includes('PRIVATE KEY')) found.push({ field: 'spec.caBundle', message: 'must hold certificates only, no private key' });
  else if (parts.length === 0 || !parts.every(isCertificate))
    found.push({ field: 'spec.caBundle', message: 'must be certificates in PEM form' });
  return found;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    // OpenSSL's own text says nothing a user could act on.
    return false;
  }
}
