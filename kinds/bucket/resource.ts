import { at, type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { BucketBody, BucketStatus } from './schema.ts';

/** source.toolkit.fluxcd.io/v1 Bucket (definitions.md 1.1 and 2.6). */
export const resource = Object.freeze<Resource>({
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Bucket',
  plural: 'buckets',
  singular: 'bucket',
  shortNames: [],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'Bucket', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'Endpoint', type: 'string', jsonPath: '.spec.endpoint' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: BucketBody,
  status: BucketStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkBucket,
});

/** The rules of the upstream CRD that a schema cannot say. */
function checkBucket(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const provider = textAt(object, 'spec', 'provider') ?? 'generic';
  const sts = textAt(object, 'spec', 'sts', 'provider');
  const has = (...path: readonly string[]): boolean => at(object, 'spec', ...path) !== undefined;
  const rules: readonly (readonly [boolean, string, string])[] = [
    [
      has('sts') && provider !== 'aws' && provider !== 'generic',
      'spec',
      "STS configuration is only supported for the 'aws' and 'generic' Bucket providers",
    ],
    [
      sts !== undefined && provider === 'aws' && sts !== 'aws',
      'spec',
      "'aws' is the only supported STS provider for the 'aws' Bucket provider",
    ],
    [
      sts !== undefined && provider === 'generic' && sts !== 'ldap',
      'spec',
      "'ldap' is the only supported STS provider for the 'generic' Bucket provider",
    ],
    [sts === 'aws' && has('sts', 'secretRef'), 'spec', "spec.sts.secretRef is not required for the 'aws' STS provider"],
    [sts === 'aws' && has('sts', 'certSecretRef'), 'spec', "spec.sts.certSecretRef is not required for the 'aws' STS provider"],
    [provider === 'generic' && has('serviceAccountName'), 'spec', "ServiceAccountName is not supported for the 'generic' Bucket provider"],
    [has('secretRef') && has('serviceAccountName'), 'spec', 'cannot set both .spec.secretRef and .spec.serviceAccountName'],
  ];
  return rules.filter(([broken]) => broken).map(([, field, message]) => ({ field, message }));
}
