import { at, type JsonObject, textAt } from '#core/json.ts';
import { accessOf, allVerbs, type Resource } from '#core/resource.ts';
import { HelmChartBody, HelmChartStatus } from './schema.ts';

/** source.toolkit.fluxcd.io/v1 HelmChart (definitions.md 1.1 and 2.5). */
export const resource = Object.freeze<Resource>({
  group: 'source.toolkit.fluxcd.io',
  version: 'v1',
  kind: 'HelmChart',
  plural: 'helmcharts',
  singular: 'helmchart',
  shortNames: ['hc'],
  categories: ['all', 'fluxcd', 'fluxcd-sources'],
  scope: 'Namespaced',
  verbs: allVerbs,
  subresources: [{ name: 'status', kind: 'HelmChart', verbs: ['get'], access: 'viewer' }],
  columns: [
    { name: 'Chart', type: 'string', jsonPath: '.spec.chart' },
    { name: 'Version', type: 'string', jsonPath: '.spec.version' },
    { name: 'Source Kind', type: 'string', jsonPath: '.spec.sourceRef.kind' },
    { name: 'Source Name', type: 'string', jsonPath: '.spec.sourceRef.name' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' },
  ],
  body: HelmChartBody,
  status: HelmChartStatus,
  initialStatus: { observedGeneration: -1 },
  access: accessOf({ read: 'viewer', write: 'editor' }),
  platform: 'read',
  finalizer: 'finalizers.fluxcd.io',
  fieldSelectors: [],
  secretFields: [],
  validate: checkHelmChart,
});

/** The schema rule of the upstream CRD. */
function checkHelmChart(object: JsonObject): readonly Readonly<{ field: string; message: string }>[] {
  if (at(object, 'spec', 'verify') === undefined || textAt(object, 'spec', 'sourceRef', 'kind') === 'HelmRepository') return [];
  return [{ field: 'spec', message: "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'" }];
}
