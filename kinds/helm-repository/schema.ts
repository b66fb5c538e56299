import Type, { type Static } from 'typebox';
import {
  artifactStatus,
  ConditionSchema,
  closed,
  duration,
  durationNoHours,
  flag,
  list,
  nameRef,
  oneOf,
  text,
  textMap,
} from '#core/schema.ts';

/** Spec and status of Flux's HelmRepository v1, field by field (definitions.md 2.4; fluxcd/source-controller config/crd/bases). Nothing is added. */

const AccessFrom = closed(
  {
    namespaceSelectors: list(
      closed({ matchLabels: Type.Optional(textMap('Labels that a namespace must have; an empty map selects all.')) }),
      'Namespaces that may refer to this repository; not enforced, as upstream.',
    ),
  },
  { description: 'Access from other namespaces; in the schema and not enforced (flux2#1704).' },
);

export const HelmRepositorySpec = closed(
  {
    url: text('Address of the chart repository, or of a registry.', { pattern: '^(http|https|oci)://.*$' }),
    secretRef: Type.Optional(
      nameRef('Secret with `username` and `password`; a registry Secret for type oci. TLS keys in it are deprecated.'),
    ),
    certSecretRef: Type.Optional(nameRef('Secret with `ca.crt`, and `tls.crt` with `tls.key` for a client certificate.')),
    passCredentials: Type.Optional(flag('Send the credential also to other hosts that the index names. Risky.')),
    interval: Type.Optional(duration('Time between looks at the index; 1m when absent. No effect with oci.')),
    insecure: Type.Optional(flag('Plain HTTP; only with type oci.')),
    timeout: Type.Optional(durationNoHours('Limit for fetching the index; 1m when absent. No effect with oci.')),
    suspend: Type.Optional(flag('Stop looking; the artifact stays. No effect with oci.')),
    accessFrom: Type.Optional(AccessFrom),
    type: Type.Optional(oneOf(['default', 'oci'], 'An HTTP repository (`default`) or a registry (`oci`).')),
    provider: Type.Optional(
      oneOf(['generic', 'aws', 'azure', 'gcp'], 'How to log in to a registry; only with type oci.', { default: 'generic' }),
    ),
  },
  { description: 'A repository of Helm charts.' },
);
export type HelmRepositorySpec = Static<typeof HelmRepositorySpec>;

const ArtifactStatus = artifactStatus({
  description: 'The index of the repository at a revision.',
  revision: 'Digest of the index as fetched, `sha256:…`.',
  metadata: 'What the server said of the index: its ETag and time of change.',
});

export const HelmRepositoryStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(
    list(ConditionSchema, 'Ready, Reconciling, Stalled, ArtifactInStorage, ArtifactOutdated, FetchFailed, StorageOperationFailed.'),
  ),
  url: Type.Optional(text('Address of the latest artifact inside the plane.')),
  artifact: Type.Optional(ArtifactStatus),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
});
export type HelmRepositoryStatus = Static<typeof HelmRepositoryStatus>;

export const HelmRepositoryBody = closed({ spec: Type.Optional(HelmRepositorySpec) });
