import Type, { type Static } from 'typebox';
import { artifactStatus, ConditionSchema, closed, list, text } from '#core/schema.ts';

/** Spec and status of Flux's ExternalArtifact v1 (definitions.md 2.7; fluxcd/source-controller config/crd/bases). */

export const ExternalArtifactSpec = closed(
  {
    sourceRef: Type.Optional(
      closed(
        {
          apiVersion: Type.Optional(text('API version of the maker.')),
          kind: text('Kind of the maker.'),
          name: text('Name of the maker.'),
          namespace: Type.Optional(text('Its namespace; the own one when absent.')),
        },
        { description: 'Who made the artifact.' },
      ),
    ),
  },
  { description: 'An artifact that something else than a source made.' },
);
export type ExternalArtifactSpec = Static<typeof ExternalArtifactSpec>;

export const ExternalArtifactStatus = closed({
  observedGeneration: Type.Optional(Type.Integer({ description: 'Last generation that became ready or stalled.' })),
  conditions: Type.Optional(list(ConditionSchema, 'Ready, Stalled.')),
  artifact: Type.Optional(
    artifactStatus({
      description: 'The artifact that the maker last gave it.',
      revision: '`latest@sha256:…`, or the revision of a source of it.',
      metadata: '`org.opencontainers.image.revision` is the origin revision.',
    }),
  ),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
});
export type ExternalArtifactStatus = Static<typeof ExternalArtifactStatus>;

export const ExternalArtifactBody = closed({ spec: Type.Optional(ExternalArtifactSpec) });
