import Type, { type Static } from 'typebox';
import { ConditionSchema, closed, list, oneOf, text, textMap } from '#core/schema.ts';

/** Spec and status of Flux's ArtifactGenerator v1beta1 (definitions.md 2.8; fluxcd/source-watcher api/v1beta1). `outputs` and `inputDigest` of the status are ours. */

const ALIAS = '[a-z0-9]([a-z0-9_-]*[a-z0-9])?';

const Source = closed({
  alias: text('Name of the source in this object; each once.', { maxLength: 63, pattern: `^${ALIAS}$` }),
  kind: oneOf(['Bucket', 'GitRepository', 'OCIRepository', 'HelmChart', 'ExternalArtifact'], 'Kind of the source.'),
  name: text('Name of the source.', { maxLength: 253 }),
  namespace: Type.Optional(
    text('Its namespace; the own one when absent. It must belong to the same tenant.', {
      minLength: 1,
      maxLength: 63,
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    }),
  ),
});

const Copy = closed({
  from: text('`@alias/path` or `@alias/pattern`.', { maxLength: 1024, pattern: `^@(${ALIAS})/(.*)$` }),
  to: text('`@artifact/path`; a slash at its end means into this folder.', { maxLength: 1024, pattern: '^@(artifact)/(.*)$' }),
  exclude: Type.Optional(list(Type.String(), 'Patterns of what is left out.', { maxItems: 100 })),
  strategy: Type.Optional(oneOf(['Overwrite', 'Merge', 'Extract'], 'What becomes of a file; Overwrite when absent.')),
});

const Output = closed({
  name: text('Name of the ExternalArtifact.', { minLength: 1, maxLength: 253 }),
  revision: Type.Optional(
    text('`@alias`: take the revision of that source; `latest@<digest>` when absent.', { maxLength: 64, pattern: `^@(${ALIAS})$` }),
  ),
  originRevision: Type.Optional(
    text('`@alias`: write the origin revision of that source into the metadata.', { maxLength: 64, pattern: `^@(${ALIAS})$` }),
  ),
  copy: list(Copy, 'Copies, carried out in order.', { minItems: 1 }),
});

export const ArtifactGeneratorSpec = closed(
  {
    sources: list(Source, 'Sources to copy from.', { minItems: 1, maxItems: 1000 }),
    artifacts: list(Output, 'Artifacts to make, one ExternalArtifact each.', { minItems: 1, maxItems: 1000 }),
    pathPattern: Type.Optional(text('`@alias/pattern`: one artifact for each folder found.', { maxLength: 1024 })),
    commonMetadata: Type.Optional(
      closed({
        labels: Type.Optional(textMap('Labels of every result.')),
        annotations: Type.Optional(textMap('Annotations of every result.')),
      }),
    ),
  },
  { description: 'Artifacts composed of the content of other sources.' },
);
export type ArtifactGeneratorSpec = Static<typeof ArtifactGeneratorSpec>;

const Made = closed({
  name: text('Name of the ExternalArtifact.'),
  digest: text('Digest of the artifact.'),
  revision: text('Its revision.'),
  originRevision: Type.Optional(text('Origin revision of the source that the spec names.')),
  size: Type.Integer({ description: 'Bytes of the artifact.', format: 'int64' }),
  lastUpdateTime: text('When its content or revision changed, RFC 3339.'),
});

export const ArtifactGeneratorStatus = closed({
  observedGeneration: Type.Optional(Type.Integer({ description: 'Last generation that became ready or stalled.' })),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Reconciling, Stalled.')),
  inventory: Type.Optional(
    list(
      closed({
        name: text('Name of an ExternalArtifact.'),
        namespace: text('Its namespace.'),
        digest: text('Digest of its artifact.'),
        filename: text('Name of the file of the artifact.'),
      }),
      'The artifacts that were made.',
    ),
  ),
  observedSourcesDigest: Type.Optional(text('Digest over the artifacts of all sources that were used last.')),
  outputs: Type.Optional(list(Made, 'What the ExternalArtifacts show.')),
  inputDigest: Type.Optional(text('Digest over sources and spec of the last build.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
});
export type ArtifactGeneratorStatus = Static<typeof ArtifactGeneratorStatus>;

export const ArtifactGeneratorBody = closed({ spec: Type.Optional(ArtifactGeneratorSpec) });
