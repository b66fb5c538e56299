import Type, { type Static } from 'typebox';
import { artifactStatus, ConditionSchema, closed, duration, flag, list, nameRef, oneOf, text } from '#core/schema.ts';

/** Spec and status of Flux's HelmChart v1, field by field (definitions.md 2.5; fluxcd/source-controller config/crd/bases). Nothing is added. */

const SourceRef = closed(
  {
    apiVersion: Type.Optional(text('API version of the referent.')),
    kind: oneOf(['HelmRepository', 'GitRepository', 'Bucket'], 'Kind of the referent.'),
    name: text('Name of the referent, in the namespace of the chart.'),
  },
  { description: 'Where the chart comes from.' },
);

const OIDCIdentity = closed({
  issuer: text('Pattern of the issuer.'),
  subject: text('Pattern of the subject.'),
});

const Verification = closed(
  {
    provider: oneOf(['cosign', 'notation'], 'Technology of the signature.', { default: 'cosign' }),
    secretRef: Type.Optional(nameRef('Secret with the public keys of trusted authors.')),
    matchOIDCIdentity: Type.Optional(list(OIDCIdentity, 'Identities of keyless signatures; any may match.')),
  },
  { description: 'Signatures that are asked for; charts of a registry only.' },
);

export const HelmChartSpec = closed(
  {
    chart: text('Name of the chart in a HelmRepository, or its folder in a GitRepository or Bucket.'),
    version: Type.Optional(text('Range of versions, of a HelmRepository only; `*` when absent.', { default: '*' })),
    sourceRef: SourceRef,
    interval: duration('Time between looks at the source.'),
    reconcileStrategy: Type.Optional(
      oneOf(['ChartVersion', 'Revision'], 'What makes a new artifact: another version in Chart.yaml, or another revision of the source.', {
        default: 'ChartVersion',
      }),
    ),
    valuesFiles: Type.Optional(list(Type.String(), 'Values files that replace values.yaml, merged in order, the last wins.')),
    ignoreMissingValuesFiles: Type.Optional(flag('Skip values files that do not exist.')),
    suspend: Type.Optional(flag('Stop looking; the artifact stays.')),
    verify: Type.Optional(Verification),
  },
  { description: 'A Helm chart and where it comes from.' },
);
export type HelmChartSpec = Static<typeof HelmChartSpec>;

const ArtifactStatus = artifactStatus({
  description: 'The chart at a version.',
  revision: 'Version of the chart, with build metadata where it was changed.',
});

export const HelmChartStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  observedSourceArtifactRevision: Type.Optional(text('Revision of the source that was looked at last.')),
  observedChartName: Type.Optional(text('Name of the chart that was resolved last.')),
  observedValuesFiles: Type.Optional(list(Type.String(), 'Values files that were merged into the current artifact.')),
  conditions: Type.Optional(
    list(ConditionSchema, 'Ready, Reconciling, Stalled, ArtifactInStorage, ArtifactOutdated, SourceVerified, FetchFailed, BuildFailed.'),
  ),
  url: Type.Optional(text('Address of the latest artifact inside the plane.')),
  artifact: Type.Optional(ArtifactStatus),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
});
export type HelmChartStatus = Static<typeof HelmChartStatus>;

export const HelmChartBody = closed({ spec: Type.Optional(HelmChartSpec) });
