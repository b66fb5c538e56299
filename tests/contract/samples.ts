import type { JsonObject } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';

/** A valid object of each kind that the API lets people create: for the permission matrix. */
export type Sample = Readonly<{
  path: string;
  scope: 'Namespaced' | 'Cluster' /** Body without apiVersion, kind, metadata. */;
  object: JsonObject;
  apiVersion: string;
  kind: string;
}>;

const caPem = (pem: string): JsonObject => ({ server: 'https://cluster.test:6443', caBundle: pem });

export function samples(certificatePem: string, nowMs: number): Readonly<Record<string, Sample>> {
  const weir = (kind: string, path: string, object: JsonObject): Sample => ({
    path: `/apis/weir.dev/v1/${path}`,
    scope: 'Namespaced',
    apiVersion: 'weir.dev/v1',
    kind,
    object,
  });
  const core = (kind: string, path: string, object: JsonObject = {}): Sample => ({
    path: `/api/v1/${path}`,
    scope: 'Namespaced',
    apiVersion: 'v1',
    kind,
    object,
  });
  const flux = (group: string, kind: string, plural: string, spec: JsonObject): Sample => {
    const apiVersion = `${group}.toolkit.fluxcd.io/v1`;
    return { path: `/apis/${apiVersion}/namespaces/:namespace/${plural}`, scope: 'Namespaced', apiVersion, kind, object: { spec } };
  };
  const inNamespace = (plural: string): string => `namespaces/:namespace/${plural}`;
  return {
    configmaps: core('ConfigMap', inNamespace('configmaps'), { data: { a: 'b' } }),
    secrets: core('Secret', inNamespace('secrets'), { stringData: { a: 'b' } }),
    serviceaccounts: core('ServiceAccount', inNamespace('serviceaccounts')),
    events: core('Event', inNamespace('events'), {
      involvedObject: { kind: 'ConfigMap', name: 'x' },
      reason: 'Tested',
      message: 'm',
      type: 'Normal',
    }),
    namespaces: { ...core('Namespace', 'namespaces'), scope: 'Cluster' },
    gitrepositories: flux('source', 'GitRepository', 'gitrepositories', { url: 'https://git.test/x', interval: '10m' }),
    buckets: flux('source', 'Bucket', 'buckets', { endpoint: 's3.test', bucketName: 'x', interval: '10m' }),
    helmrepositories: flux('source', 'HelmRepository', 'helmrepositories', { url: 'https://charts.test', interval: '10m' }),
    helmcharts: flux('source', 'HelmChart', 'helmcharts', {
      chart: 'x',
      interval: '10m',
      sourceRef: { kind: 'HelmRepository', name: 'x' },
    }),
    helmreleases: {
      ...flux('helm', 'HelmRelease', 'helmreleases', { interval: '10m', chartRef: { kind: 'OCIRepository', name: 'podinfo' } }),
      path: '/apis/helm.toolkit.fluxcd.io/v2/namespaces/:namespace/helmreleases',
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
    },
    ocirepositories: flux('source', 'OCIRepository', 'ocirepositories', { url: 'oci://registry.test/x', interval: '10m' }),
    externalartifacts: flux('source', 'ExternalArtifact', 'externalartifacts', { sourceRef: { kind: 'ArtifactGenerator', name: 'x' } }),
    artifactgenerators: {
      ...flux('source', 'ArtifactGenerator', 'artifactgenerators', {
        sources: [{ alias: 'x', kind: 'GitRepository', name: 'x' }],
        artifacts: [{ name: 'x', copy: [{ from: '@x/', to: '@artifact/' }] }],
      }),
      path: '/apis/source.extensions.fluxcd.io/v1beta1/namespaces/:namespace/artifactgenerators',
      apiVersion: 'source.extensions.fluxcd.io/v1beta1',
    },
    kustomizations: flux('kustomize', 'Kustomization', 'kustomizations', {
      interval: '10m',
      path: './',
      prune: true,
      sourceRef: { kind: 'GitRepository', name: 'x' },
    }),
    imagerepositories: flux('image', 'ImageRepository', 'imagerepositories', { image: 'registry.test/x', interval: '10m' }),
    imagepolicies: flux('image', 'ImagePolicy', 'imagepolicies', {
      imageRepositoryRef: { name: 'x' },
      policy: { semver: { range: '1.x' } },
    }),
    imageupdateautomations: flux('image', 'ImageUpdateAutomation', 'imageupdateautomations', {
      interval: '10m',
      sourceRef: { kind: 'GitRepository', name: 'x' },
    }),
    pullrequestpolicies: weir('PullRequestPolicy', inNamespace('pullrequestpolicies'), {
      spec: { automations: { names: ['x'] }, provider: 'github', secretRef: { name: 'x' } },
    }),
    receivers: flux('notification', 'Receiver', 'receivers', {
      type: 'github',
      resources: [{ kind: 'GitRepository', name: 'x' }],
      secretRef: { name: 'x' },
    }),
    placements: weir('Placement', inNamespace('placements'), { spec: { definitions: { names: ['x'] }, clusters: { names: ['x'] } } }),
    clusters: weir('Cluster', inNamespace('clusters'), { spec: caPem(certificatePem) }),
    clustergrants: weir('ClusterGrant', inNamespace('clustergrants'), { spec: { tenants: [] } }),
    clusteraccounts: weir('ClusterAccount', inNamespace('clusteraccounts'), {
      spec: { cluster: 'x', namespace: 'apps', serviceAccountName: 'x' },
    }),
    accesstokens: weir('AccessToken', inNamespace('accesstokens'), {
      spec: { verbs: { configmaps: ['get'] }, expiresAt: rfc3339(nowMs + 3_600_000) },
    }),
    deliveries: weir('Delivery', inNamespace('deliveries'), { spec: {} }),
    tenants: { ...weir('Tenant', 'tenants', { spec: { namespaces: { names: ['third'] } } }), scope: 'Cluster' },
  };
}

export function sampleObject(sample: Sample, name: string, namespace: string): JsonObject {
  const metadata = sample.scope === 'Namespaced' ? { name, namespace } : { name };
  return { apiVersion: sample.apiVersion, kind: sample.kind, metadata, ...sample.object };
}
