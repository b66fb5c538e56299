import Type, { type Static } from 'typebox';
import { artifactStatus, ConditionSchema, closed, duration, durationNoHours, flag, list, nameRef, oneOf, text } from '#core/schema.ts';

/** Spec and status of Flux's OCIRepository v1, field by field (definitions.md 2.3; fluxcd/source-controller config/crd/bases). Nothing is added. */

const Reference = closed(
  {
    digest: Type.Optional(text('Digest of the manifest, as `sha256:<hex>`; wins over semver and tag.')),
    semver: Type.Optional(text('Range of versions; the highest tag in it is taken. Wins over tag.')),
    semverFilter: Type.Optional(text('Regular expression (RE2) that a tag must match before the range is asked.')),
    tag: Type.Optional(text('Tag to take; `latest` when nothing is set.')),
  },
  { description: 'What to take from the repository and to watch for changes; the tag `latest` when absent.' },
);

const LayerSelector = closed(
  {
    mediaType: Type.Optional(text('Media type; the first layer of it is taken. The first layer of all when absent.')),
    operation: Type.Optional(
      oneOf(['extract', 'copy'], '`extract` (the default) unpacks the layer, `copy` keeps it as it is, as charts want it.'),
    ),
  },
  { description: 'Which layer is taken, and how.' },
);

const Identity = closed(
  {
    issuer: text('Regular expression for the issuer in the certificate.'),
    subject: text('Regular expression for the subject of the certificate.'),
  },
  { description: 'Who may have signed.' },
);

const Verification = closed(
  {
    provider: oneOf(['cosign', 'notation'], 'Which kind of signature.', { default: 'cosign' }),
    secretRef: Type.Optional(nameRef('Secret with the trusted public keys, each under a key that ends in `.pub`.')),
    matchOIDCIdentity: Type.Optional(list(Identity, 'Identities of which one must have signed; keyless cosign only.')),
    trustedRootSecretRef: Type.Optional(nameRef('Secret with `trusted_root.json` of a private Sigstore; keyless cosign only.')),
  },
  { description: 'Signatures that are asked for.' },
);

export const OCIRepositorySpec = closed(
  {
    url: text('Address of the repository, without tag or digest.', { pattern: '^oci://.*$' }),
    ref: Type.Optional(Reference),
    layerSelector: Type.Optional(LayerSelector),
    provider: Type.Optional(oneOf(['generic', 'aws', 'azure', 'gcp'], 'How to log in.', { default: 'generic' })),
    secretRef: Type.Optional(nameRef('Secret with the login: `.dockerconfigjson`, or `username` and `password`.')),
    verify: Type.Optional(Verification),
    serviceAccountName: Type.Optional(text('ServiceAccount of the plane whose imagePullSecrets are used as logins too.')),
    certSecretRef: Type.Optional(
      nameRef('Secret with TLS material: `ca.crt` for a private authority, `tls.crt` and `tls.key` for a client certificate.'),
    ),
    proxySecretRef: Type.Optional(nameRef('Secret with the proxy to use.')),
    interval: duration('Time between looks at the repository.'),
    timeout: Type.Optional(durationNoHours('Limit for one remote operation.', { default: '60s' })),
    ignore: Type.Optional(
      text('Rules in the format of .sourceignore (as .gitignore) for what is left out; with any rule the default list no longer applies.'),
    ),
    insecure: Type.Optional(flag('Plain HTTP; only where the operator allows it.')),
    suspend: Type.Optional(flag('Stop looking; the artifact stays.')),
  },
  { description: 'A repository of an OCI registry and what is taken from it.' },
);
export type OCIRepositorySpec = Static<typeof OCIRepositorySpec>;

const ArtifactStatus = artifactStatus({
  description: 'Content of the layer at a revision.',
  revision: 'Tag and digest of the manifest, such as `6.1.8@sha256:…`.',
  metadata: 'Annotations of the manifest.',
});

export const OCIRepositoryStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(
    list(
      ConditionSchema,
      'Ready, Reconciling, Stalled, ArtifactInStorage, ArtifactOutdated, FetchFailed, StorageOperationFailed, SourceVerified.',
    ),
  ),
  url: Type.Optional(text('Address of the latest artifact inside the plane.')),
  artifact: Type.Optional(ArtifactStatus),
  observedIgnore: Type.Optional(text('`ignore` of the current artifact.')),
  observedLayerSelector: Type.Optional(LayerSelector),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
});
export type OCIRepositoryStatus = Static<typeof OCIRepositoryStatus>;

export const OCIRepositoryBody = closed({ spec: Type.Optional(OCIRepositorySpec) });
