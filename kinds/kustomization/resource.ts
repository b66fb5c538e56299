import type { JsonObject } from '#core/json.ts';
import { at } from '#core/json.ts';
import { accessOf, allVerbs, defineResource } from '#core/resource.ts';
import { closed } from '#core/schema.ts';
import { wrongExpressions } from '#core/spec-expressions.ts';
import { KustomizationSpec, KustomizationStatus } from './schema.ts';

export const resource = defineResource({
  group: 'kustomize.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'Kustomization',
  plural: 'kustomizations',
  singular: 'kustomization',
  shortNames: ['ks'],
  categories: ['all', 'fluxcd', 'fluxcd-appliers'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [
    { name: 'status', kind: 'Kustomization', verbs: ['get'], access: 'viewer' },
    { name: 'diff', kind: 'Diff', group: 'weir.dev', version: 'v1', verbs: ['create'], access: 'editor' },
    { name: 'history', kind: 'History', group: 'weir.dev', version: 'v1', verbs: ['get'], access: 'viewer' },
  ],
  columns: [
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: closed({ spec: KustomizationSpec }),
  status: KustomizationStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate,
});

type Complaint = Readonly<{ field: string; message: string }>;

/** The CEL rules of Flux's schema: exactly one way to name a cluster. And expressions that Flux finds wrong only when it runs them. */
function validate(object: JsonObject): readonly Complaint[] {
  return [...wrongKubeConfig(object), ...wrongExpressions(object)];
}

function wrongKubeConfig(object: JsonObject): readonly Complaint[] {
  const kubeConfig = at(object, 'spec', 'kubeConfig');
  if (kubeConfig === undefined) return [];
  const secret = at(kubeConfig, 'secretRef') !== undefined;
  const configMap = at(kubeConfig, 'configMapRef') !== undefined;
  if (secret && configMap)
    return [
      { field: 'spec.kubeConfig', message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef may be specified' },
    ];
  if (!secret && !configMap)
    return [
      { field: 'spec.kubeConfig', message: 'exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified' },
    ];
  return [];
}
