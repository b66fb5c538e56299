import { type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { ImagePolicyBody, ImagePolicyStatus } from './schema.ts';

/** image.toolkit.fluxcd.io/v1 ImagePolicy (definitions.md 1.1 and 5.2). */
export const resource = Object.freeze<Resource>({
  group: 'image.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'ImagePolicy',
  plural: 'imagepolicies',
  singular: 'imagepolicy',
  shortNames: ['imgpol', 'imagepol'],
  categories: ['all', 'fluxcd', 'fluxcd-images'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [
    { name: 'status', kind: 'ImagePolicy', verbs: ['get'], access: 'viewer' },
    { name: 'choice', kind: 'ImageChoice', group: 'weir.dev', version: 'v1', verbs: ['get'], access: 'viewer' },
  ],
  columns: [
    { name: 'Image', type: 'string', jsonPath: '.status.latestRef.name' },
    { name: 'Tag', type: 'string', jsonPath: '.status.latestRef.tag' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
  body: ImagePolicyBody,
  status: ImagePolicyStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkImagePolicy,
});

/** The two schema rules of the upstream CRD (definitions.md 8, fact 11). */
function checkImagePolicy(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  const reflects = textAt(object, 'spec', 'digestReflectionPolicy') ?? 'Never';
  const hasInterval = textAt(object, 'spec', 'interval') !== undefined;
  if (hasInterval && reflects !== 'Always')
    return [{ field: 'spec', message: "spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'" }];
  if (!hasInterval && reflects === 'Always')
    return [{ field: 'spec', message: "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'" }];
  return [];
}
