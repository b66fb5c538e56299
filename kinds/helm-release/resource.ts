import { at, type JsonObject } from '#core/json.ts';
import { accessOf, allVerbs, defineResource } from '#core/resource.ts';
import { closed } from '#core/schema.ts';
import { wrongExpressions } from '#core/spec-expressions.ts';
import { HelmReleaseSpec } from './schema.ts';
import { HelmReleaseStatus } from './status.ts';

export const resource = defineResource({
  group: 'helm.toolkit.fluxcd.io',
  version: 'v2',
  kind: 'HelmRelease',
  plural: 'helmreleases',
  singular: 'helmrelease',
  shortNames: ['hr'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [
    { name: 'status', kind: 'HelmRelease', verbs: ['get'], access: 'viewer' },
    { name: 'diff', kind: 'Diff', group: 'weir.dev', version: 'v1', verbs: ['create'], access: 'editor' },
  ],
  columns: [
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: closed({ spec: HelmReleaseSpec }),
  status: HelmReleaseStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate,
});

type Complaint = Readonly<{ field: string; message: string }>;

/** The CEL rules of Flux's schema (definitions.md 4.1 and 4.3). */
function validate(object: JsonObject): readonly Complaint[] {
  const has = (...path: readonly string[]) => at(object, 'spec', ...path) !== undefined;
  const complaints: Complaint[] = [];
  if (has('chart') === has('chartRef')) complaints.push({ field: 'spec', message: 'either chart or chartRef must be set' });
  if (has('kubeConfig') && has('kubeConfig', 'secretRef') === has('kubeConfig', 'configMapRef'))
    complaints.push({
      field: 'spec.kubeConfig',
      message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified',
    });
  for (const action of ['install', 'upgrade'])
    if (has(action, 'strategy', 'retryInterval') && at(object, 'spec', action, 'strategy', 'name') !== 'RetryOnFailure')
      complaints.push({ field: `spec.${action}.strategy`, message: '.retryInterval can only be set when .name is RetryOnFailure' });
  return [...complaints, ...wrongExpressions(object)];
}
