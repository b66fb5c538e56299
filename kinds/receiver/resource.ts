import { at, isObject, type JsonObject } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ReceiverBody, ReceiverStatus } from './schema.ts';

/** notification.toolkit.fluxcd.io/v1 Receiver (definitions.md 7.3). */
export const resource = Object.freeze<Resource>({
  group: 'notification.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Receiver',
  plural: 'receivers',
  singular: 'receiver',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-notifications', 'flux'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'Receiver', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: ReceiverBody,
  status: ReceiverStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkReceiver,
});

/** The schema rules of the upstream CRD (fluxcd/notification-controller, api/v1/receiver_types.go), by hand. */
function checkReceiver(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const spec = object.spec;
  if (!isObject(spec)) return [];
  const isOidc = spec.type === 'generic-oidc';
  const issuers = at(spec, 'oidcProviders');
  const hasIssuers = Array.isArray(issuers) && issuers.length > 0;
  const found: { field: string; message: string }[] = [];
  if (isOidc && !hasIssuers) found.push({ field: 'spec', message: 'oidcProviders is required when type is generic-oidc' });
  if (!isOidc && hasIssuers) found.push({ field: 'spec', message: 'oidcProviders can only be set when type is generic-oidc' });
  if (isOidc && spec.secretRef !== undefined) found.push({ field: 'spec', message: 'secretRef must not be set when type is generic-oidc' });
  if (!isOidc && spec.secretRef === undefined) found.push({ field: 'spec', message: 'secretRef is required unless type is generic-oidc' });
  return found;
}
