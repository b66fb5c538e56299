import Type, { type Static } from 'typebox';
import { artifactStatus, ConditionSchema, closed, duration, durationNoHours, flag, list, nameRef, oneOf, text } from '#core/schema.ts';

/** Spec and status of Flux's Bucket v1, field by field (definitions.md 2.6; fluxcd/source-controller config/crd/bases). Nothing is added. */

const Sts = closed(
  {
    provider: oneOf(['aws', 'ldap'], 'Kind of token service: aws only with provider aws, ldap only with provider generic.'),
    endpoint: text('Address of the token service.', { pattern: '^(http|https)://.*$' }),
    secretRef: Type.Optional(nameRef('Secret with `username` and `password`; ldap only.')),
    certSecretRef: Type.Optional(nameRef('Secret with TLS material for the token service; ldap only.')),
  },
  { description: 'Security token service that hands out credentials for the bucket.' },
);

export const BucketSpec = closed(
  {
    provider: Type.Optional(
      oneOf(['generic', 'aws', 'gcp', 'azure'], 'Kind of object store; `generic` speaks S3 with keys of a Secret.', { default: 'generic' }),
    ),
    bucketName: text('Name of the bucket.'),
    endpoint: text('Address of the object store: a host, with a port where needed, or a URL.'),
    sts: Type.Optional(Sts),
    insecure: Type.Optional(flag('Plain HTTP; only where the operator allows it.')),
    region: Type.Optional(text('Region of the bucket; `us-east-1` when absent.')),
    prefix: Type.Optional(text('Only keys that start with this text.')),
    secretRef: Type.Optional(nameRef('Secret with the credential: `accesskey` and `secretkey` for generic.')),
    serviceAccountName: Type.Optional(text('Account to log in with; not with provider generic, and not with secretRef.')),
    certSecretRef: Type.Optional(
      nameRef(
        'Secret with TLS material: `ca.crt` for a private authority, `tls.crt` and `tls.key` for a client certificate; generic only.',
      ),
    ),
    proxySecretRef: Type.Optional(nameRef('Secret with the proxy to use.')),
    interval: duration('Time between looks at the bucket.'),
    timeout: Type.Optional(durationNoHours('Limit for one remote operation.', { default: '60s' })),
    ignore: Type.Optional(text('Rules in the format of .sourceignore (as .gitignore) for keys that are left out.')),
    suspend: Type.Optional(flag('Stop looking; the artifact stays.')),
  },
  { description: 'A bucket of an object store and what is taken from it.' },
);
export type BucketSpec = Static<typeof BucketSpec>;

const ArtifactStatus = artifactStatus({
  description: 'Content of the bucket at a revision.',
  revision: '`sha256:` digest of keys and etags.',
});

export const BucketStatus = closed({
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'Last generation that became ready or stalled; -1 before the first run.' }),
  ),
  conditions: Type.Optional(
    list(ConditionSchema, 'Ready, Reconciling, Stalled, ArtifactInStorage, ArtifactOutdated, FetchFailed, StorageOperationFailed.'),
  ),
  url: Type.Optional(text('Address of the latest artifact inside the plane.')),
  artifact: Type.Optional(ArtifactStatus),
  observedIgnore: Type.Optional(text('`ignore` of the current artifact.')),
  lastHandledReconcileAt: Type.Optional(text('The value of reconcile.fluxcd.io/requestedAt that was handled last.')),
});
export type BucketStatus = Static<typeof BucketStatus>;

export const BucketBody = closed({ spec: Type.Optional(BucketSpec) });
