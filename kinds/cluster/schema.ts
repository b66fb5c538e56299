import Type, { type Static } from 'typebox';

const NAME = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
const Time = Type.String({ maxLength: 64 });

/** A registered workload cluster: address, CA, labels, how to reach it. */
export type ClusterSpec = Static<typeof ClusterSpec>;
export const ClusterSpec = Type.Object(
  {
    server: Type.String({
      pattern: '^https://[^/@?#\\s]+(/[^@?#\\s]*)?$',
      maxLength: 2_048,
      description: 'URL of the API server: https, without credentials or query.',
    }),
    caBundle: Type.String({
      minLength: 1,
      maxLength: 262_144,
      description: 'PEM certificates that sign the API server’s certificate. TLS is never skipped.',
    }),
    variables: Type.Optional(
      Type.Record(Type.String({ pattern: '^[_a-zA-Z][_a-zA-Z0-9]{0,62}$' }), Type.String({ maxLength: 4_096 }), {
        description: 'Offered to post-build substitution on this cluster. No secrets.',
      }),
    ),
    paused: Type.Optional(Type.Boolean({ description: 'Stops all work on this cluster; nothing on it changes. Default false.' })),
    concurrency: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 64, default: 16, description: 'Requests in flight to this cluster at once.' }),
    ),
    bootstrap: Type.Optional(
      Type.Object(
        {
          namespace: Type.Optional(
            Type.String({
              pattern: NAME,
              maxLength: 63,
              default: 'weir-system',
              description: 'Namespace of the bootstrap account in the cluster.',
            }),
          ),
          serviceAccountName: Type.Optional(
            Type.String({
              pattern: NAME,
              maxLength: 63,
              default: 'weir-bootstrap',
              description: 'Account whose only right is to mint tokens for registered accounts.',
            }),
          ),
        },
        { default: {}, description: 'The one account whose token the plane keeps.' },
      ),
    ),
  },
  { description: 'Where the cluster is and how much it may be asked.' },
);
export const ClusterBody = Type.Object({ spec: ClusterSpec });

const Condition = Type.Object({
  type: Type.String({ maxLength: 316 }),
  status: Type.Enum(['True', 'False', 'Unknown']),
  reason: Type.String({ maxLength: 1_024 }),
  message: Type.String({ maxLength: 32_768 }),
  lastTransitionTime: Time,
  observedGeneration: Type.Optional(Type.Integer({ minimum: 0 })),
});

export type ClusterStatus = Static<typeof ClusterStatus>;
export const ClusterStatus = Type.Object({
  conditions: Type.Optional(
    Type.Array(Condition, {
      maxItems: 16,
      description: 'Ready says whether the cluster answers; Unknown while nobody could ask.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    }),
  ),
  observedGeneration: Type.Optional(Type.Integer({ minimum: -1 })),
  lastHandledReconcileAt: Type.Optional(Type.String({ maxLength: 256 })),
  version: Type.Optional(Type.String({ maxLength: 64, description: 'Version that the API server told last.' })),
  reachableSince: Type.Optional(Time),
  unknownSince: Type.Optional(Time),
  lastContactTime: Type.Optional(Time),
  credential: Type.Optional(
    Type.Object(
      { issuedAt: Type.Optional(Time), expiresAt: Type.Optional(Time) },
      { description: 'Age of the bootstrap token; never its value.' },
    ),
  ),
  accounts: Type.Optional(
    Type.Array(
      Type.Object({
        tenant: Type.String({ maxLength: 253 }),
        account: Type.String({ maxLength: 512 }),
        missing: Type.Optional(
          Type.Array(Type.String({ maxLength: 512 }), { maxItems: 256, description: 'Rights that the account lacks.' }),
        ),
      }),
      { maxItems: 4_096, description: 'Preflight of the registered accounts.' },
    ),
  ),
});
