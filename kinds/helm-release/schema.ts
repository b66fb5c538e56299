import Type, { type Static } from 'typebox';
import type { JsonObject } from '#core/json.ts';
import { closed, duration, flag, list, nameRef, oneOf, Selector, text, textMap } from '#core/schema.ts';
import { Install, Rollback, Test, Uninstall, Upgrade } from './schema-actions.ts';

/** Spec of Flux's HelmRelease v2, field by field (definitions.md 4.1; fluxcd/helm-controller config/crd/bases). Nothing is added. */

const ChartTemplate = closed(
  {
    metadata: Type.Optional(
      closed(
        { labels: Type.Optional(textMap('Labels.')), annotations: Type.Optional(textMap('Annotations.')) },
        { description: 'Of the HelmChart that is made.' },
      ),
    ),
    spec: closed({
      chart: text('Name of the chart in a HelmRepository, or its folder in another source.', { minLength: 1, maxLength: 2048 }),
      version: Type.Optional(text('Range of versions, of a HelmRepository only; `*` when absent.')),
      sourceRef: closed({
        apiVersion: Type.Optional(text('API version of the referent.')),
        kind: oneOf(['HelmRepository', 'GitRepository', 'Bucket'], 'Kind of the source.'),
        name: text('Name of the source.', { minLength: 1, maxLength: 253 }),
        namespace: Type.Optional(text('Namespace of the source; the own one when absent.', { minLength: 1, maxLength: 63 })),
      }),
      interval: Type.Optional(duration('Time between looks at the source; that of the release when absent.')),
      reconcileStrategy: Type.Optional(oneOf(['ChartVersion', 'Revision'], 'What makes a new artifact.')),
      valuesFiles: Type.Optional(list(Type.String(), 'Values files that replace values.yaml, merged in order.')),
      ignoreMissingValuesFiles: Type.Optional(flag('Skip values files that do not exist.')),
      verify: Type.Optional(
        closed({
          provider: oneOf(['cosign', 'notation'], 'Technology of the signature.', { default: 'cosign' }),
          secretRef: Type.Optional(nameRef('Secret with the public keys of trusted authors.')),
        }),
      ),
    }),
  },
  { description: 'The HelmChart that is made for this release.' },
);

const ChartRef = closed(
  {
    apiVersion: Type.Optional(text('API version of the referent.')),
    kind: oneOf(['OCIRepository', 'HelmChart', 'ExternalArtifact'], 'Kind of the source of the chart.'),
    name: text('Name of the source.', { minLength: 1, maxLength: 253 }),
    namespace: Type.Optional(
      text('Its namespace; the own one when absent. It must belong to the same tenant.', { minLength: 1, maxLength: 63 }),
    ),
  },
  { description: 'An existing source of the chart.' },
);

const ValuesReference = closed({
  kind: oneOf(['Secret', 'ConfigMap'], 'Kind of the object with the values.'),
  name: text('Its name, in the namespace of the release.', { minLength: 1, maxLength: 253 }),
  valuesKey: Type.Optional(text('Key of the values; `values.yaml` when absent.', { maxLength: 253, pattern: '^[\\-._a-zA-Z0-9]+$' })),
  targetPath: Type.Optional(
    text('Where one value goes, in the syntax of `helm --set`.', {
      maxLength: 250,
      pattern: '^([a-zA-Z0-9_\\-.\\\\\\/]|\\[[0-9]{1,5}\\])+$',
    }),
  ),
  optional: Type.Optional(flag('Go on without the object when it does not exist.')),
  literal: Type.Optional(flag('Take the value as plain text; with targetPath only.')),
});

const PostRenderer = closed({
  kustomize: Type.Optional(
    closed({
      patches: Type.Optional(list(closed({ patch: text('A patch as YAML or JSON text.'), target: Type.Optional(Selector) }), 'Patches.')),
      images: Type.Optional(
        list(
          closed({
            name: text('Image name to look for.'),
            newName: Type.Optional(text('Replaces the name.')),
            newTag: Type.Optional(text('Replaces the tag.')),
            digest: Type.Optional(text('Replaces the tag by a digest; wins over newTag.')),
          }),
          'Image replacements.',
        ),
      ),
    }),
  ),
});

const IgnoreRule = closed({
  paths: list(Type.String(), 'JSON pointers; an empty one means the whole object.'),
  target: Type.Optional(Selector),
});

const HealthExpression = closed({
  apiVersion: text('API version the expressions are for.'),
  kind: text('Kind the expressions are for.'),
  current: text('CEL: true when the object is as it should be.'),
  inProgress: Type.Optional(text('CEL: true while the object is still changing.')),
  failed: Type.Optional(text('CEL: true when the object failed.')),
});

export const HelmReleaseSpec = closed(
  {
    chart: Type.Optional(ChartTemplate),
    chartRef: Type.Optional(ChartRef),
    interval: duration('Time between looks at the release.'),
    timeout: Type.Optional(duration('Limit for each Helm action; 5m when absent.')),
    suspend: Type.Optional(flag('Start no new runs.')),
    releaseName: Type.Optional(text('Name of the release; `[<targetNamespace>-]<name>` when absent.', { minLength: 1, maxLength: 53 })),
    targetNamespace: Type.Optional(text('Namespace of the release on the cluster.', { minLength: 1, maxLength: 63 })),
    storageNamespace: Type.Optional(text('Namespace of the records of the release.', { minLength: 1, maxLength: 63 })),
    serviceAccountName: Type.Optional(
      text('Account to act as on the target cluster; it must be registered by a ClusterAccount.', { minLength: 1, maxLength: 253 }),
    ),
    kubeConfig: Type.Optional(
      closed({
        secretRef: Type.Optional(
          closed({
            name: text('Name of the Secret.'),
            key: Type.Optional(text('Key of the kubeconfig; `value`, then `value.yaml`, when absent.')),
          }),
        ),
        configMapRef: Type.Optional(nameRef('ConfigMap with the settings of a cloud login.')),
      }),
    ),
    persistentClient: Type.Optional(flag('Keep one client for a whole run; here each action has a client of its own.')),
    maxHistory: Type.Optional(Type.Integer({ description: 'Records that are kept; 5 when absent, 0 for all.' })),
    dependsOn: Type.Optional(
      list(
        closed({
          name: text('Name of a HelmRelease that must be ready first.'),
          namespace: Type.Optional(text('Its namespace; the own one when absent.')),
          readyExpr: Type.Optional(text('CEL over `self` and `dep` that replaces the built-in readiness check.')),
        }),
        'HelmReleases that must be ready first.',
      ),
    ),
    values: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: true, description: 'Inline values.' })),
    valuesFrom: Type.Optional(list(ValuesReference, 'Objects with values; later entries win.')),
    commonMetadata: Type.Optional(
      closed({ labels: Type.Optional(textMap('Set on every object.')), annotations: Type.Optional(textMap('Set on every object.')) }),
    ),
    postRenderers: Type.Optional(list(PostRenderer, 'Changes to the objects before helm applies and stores them, in order.')),
    postRenderStrategy: Type.Optional(
      oneOf(
        ['nohooks', 'combined', 'separate'],
        'Whether hooks go through the post-renderers: not at all, with the rest, or by themselves; combined when absent.',
      ),
    ),
    driftDetection: Type.Optional(
      closed({
        mode: Type.Optional(oneOf(['enabled', 'warn', 'disabled'], 'Correct drift, report it, or do not look; disabled when absent.')),
        ignore: Type.Optional(list(IgnoreRule, 'Fields left to others.')),
      }),
    ),
    healthCheckExprs: Type.Optional(list(HealthExpression, 'CEL health rules for kinds that have no built-in one.')),
    waitStrategy: Type.Optional(closed({ name: oneOf(['poller', 'legacy'], 'How objects are waited for: by kstatus, or as Helm 3 did.') })),
    install: Type.Optional(Install),
    upgrade: Type.Optional(Upgrade),
    test: Type.Optional(Test),
    rollback: Type.Optional(Rollback),
    uninstall: Type.Optional(Uninstall),
  },
  { description: 'A Helm release: its chart, its values, and how it is installed, upgraded and removed.' },
);
export type HelmReleaseSpec = Static<typeof HelmReleaseSpec>;
