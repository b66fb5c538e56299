import Type, { type Static } from 'typebox';
import { DURATION_PATTERN } from '#core/duration.ts';

const Kinds = [
  'Bucket',
  'GitRepository',
  'Kustomization',
  'HelmRelease',
  'HelmChart',
  'HelmRepository',
  'ImageRepository',
  'ImagePolicy',
  'ImageUpdateAutomation',
  'OCIRepository',
  'ArtifactGenerator',
  'ExternalArtifact',
] as const;

const Types = [
  'generic',
  'generic-hmac',
  'generic-oidc',
  'github',
  'gitlab',
  'bitbucket',
  'harbor',
  'dockerhub',
  'quay',
  'gcr',
  'nexus',
  'acr',
  'cdevents',
] as const;

const Target = Type.Object({
  apiVersion: Type.Optional(Type.String({ description: 'API version of the referent, if not the default one.' })),
  kind: Type.Enum([...Kinds], { description: 'Kind of the referent.' }),
  name: Type.String({ minLength: 1, maxLength: 253, description: 'Name of the referent; `*` takes all that match the labels.' }),
  namespace: Type.Optional(
    Type.String({ minLength: 1, maxLength: 253, description: 'Namespace of the referent; default: that of the receiver.' }),
  ),
  matchLabels: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'Labels the referents must carry; needed with the name `*`.' }),
  ),
  filter: Type.Optional(Type.String({ description: 'CEL expression that decides whether this entry is woken.' })),
});

const Issuer = Type.Object({
  issuerURL: Type.String({ pattern: '^https?://', description: 'Issuer whose tokens are accepted.' }),
  audience: Type.Optional(Type.String({ default: 'notification-controller', description: 'Audience the token must be for.' })),
  variables: Type.Optional(
    Type.Array(Type.Object({ name: Type.String({ minLength: 1 }), expression: Type.String({ minLength: 1 }) }), {
      description: 'Named CEL expressions for use in validations.',
      'x-kubernetes-list-type': 'atomic',
    }),
  ),
  validations: Type.Array(Type.Object({ expression: Type.String({ minLength: 1 }), message: Type.String({ minLength: 1 }) }), {
    minItems: 1,
    description: 'CEL expressions over the claims; all must be true.',
    'x-kubernetes-list-type': 'atomic',
  }),
});

/** A webhook that wakes definitions (notification.toolkit.fluxcd.io/v1). */
export type ReceiverSpec = Static<typeof ReceiverSpec>;
export const ReceiverSpec = Type.Object(
  {
    type: Type.Enum([...Types], { description: 'Who calls, and how it proves itself.' }),
    events: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Events that count, for types that name them; empty means all.',
        'x-kubernetes-list-type': 'atomic',
      }),
    ),
    resources: Type.Array(Target, { description: 'What is woken.', 'x-kubernetes-list-type': 'atomic' }),
    resourceFilter: Type.Optional(Type.String({ description: 'CEL expression that decides for every resource.' })),
    secretRef: Type.Optional(
      Type.Object({ name: Type.String({ description: 'Name of the Secret.' }) }, { description: 'Secret with the key `token`.' }),
    ),
    oidcProviders: Type.Optional(
      Type.Array(Issuer, {
        description: 'Accepted issuers, for the type generic-oidc.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['issuerURL'],
      }),
    ),
    interval: Type.Optional(
      Type.String({ pattern: DURATION_PATTERN, default: '10m', description: 'How often the secret is looked at again.' }),
    ),
    suspend: Type.Optional(Type.Boolean({ description: 'When true, the webhook answers 503.' })),
  },
  { description: 'Who may call, and what that wakes.' },
);
export const ReceiverBody = Type.Object({ spec: Type.Optional(ReceiverSpec) });

const Condition = Type.Object({
  type: Type.String({ maxLength: 316 }),
  status: Type.Enum(['True', 'False', 'Unknown']),
  reason: Type.String({ maxLength: 1_024 }),
  message: Type.String({ maxLength: 32_768 }),
  lastTransitionTime: Type.String({ format: 'date-time' }),
  observedGeneration: Type.Optional(Type.Integer({ minimum: 0 })),
});

export type ReceiverStatus = Static<typeof ReceiverStatus>;
export const ReceiverStatus = Type.Object({
  webhookPath: Type.Optional(Type.String({ description: 'Path of the webhook, `/hook/…`.' })),
  conditions: Type.Optional(Type.Array(Condition, { 'x-kubernetes-list-type': 'atomic' })),
  observedGeneration: Type.Optional(Type.Integer()),
  lastHandledReconcileAt: Type.Optional(Type.String()),
});
