import Type, { type Static } from 'typebox';

const Text = Type.String({ maxLength: 4_096 });
const Time = Type.String({ maxLength: 64 });

/** One definition on one cluster. Written by the plane only. */
export type DeliverySpec = Static<typeof DeliverySpec>;
export const DeliverySpec = Type.Object(
  {
    definition: Type.Object(
      { kind: Type.String({ maxLength: 63 }), name: Type.String({ maxLength: 253 }) },
      { description: 'The definition, in the same namespace.' },
    ),
    cluster: Type.Object(
      { namespace: Type.String({ maxLength: 63 }), name: Type.String({ maxLength: 253 }) },
      { description: 'The cluster.' },
    ),
  },
  { description: 'What is delivered where.' },
);
export const DeliveryBody = Type.Object({ spec: DeliverySpec });

const Condition = Type.Object({
  type: Type.String({ maxLength: 316 }),
  status: Type.Enum(['True', 'False', 'Unknown']),
  reason: Type.String({ maxLength: 1_024 }),
  message: Type.String({ maxLength: 32_768 }),
  lastTransitionTime: Time,
  observedGeneration: Type.Optional(Type.Integer({ minimum: 0 })),
});

/** Flux's status of a Kustomization, for this cluster, with what only a delivery knows beside it. */
export type DeliveryStatus = Static<typeof DeliveryStatus>;
export const DeliveryStatus = Type.Object({
  conditions: Type.Optional(
    Type.Array(Condition, { maxItems: 16, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  ),
  observedGeneration: Type.Optional(Type.Integer({ minimum: -1 })),
  lastHandledReconcileAt: Type.Optional(Text),
  lastAppliedRevision: Type.Optional(Text),
  lastAppliedOriginRevision: Type.Optional(Text),
  lastAttemptedRevision: Type.Optional(Text),
  inventory: Type.Optional(
    Type.Object({
      count: Type.Optional(Type.Integer({ minimum: 0 })),
      entries: Type.Optional(
        Type.Array(Type.Object({ id: Text, v: Text }), { description: 'Objects applied; those that could not be pruned stay in it.' }),
      ),
    }),
  ),
  health: Type.Optional(Type.Unknown({ description: 'Health of the applied objects.', 'x-kubernetes-preserve-unknown-fields': true })),
  drift: Type.Optional(
    Type.Unknown({ description: 'How drift is watched, and what drifted last.', 'x-kubernetes-preserve-unknown-fields': true }),
  ),
  unknownSince: Type.Optional(Time),
  history: Type.Optional(
    Type.Array(
      Type.Object({
        digest: Text,
        firstReconciled: Time,
        lastReconciled: Time,
        lastReconciledDuration: Text,
        lastReconciledStatus: Text,
        totalReconciliations: Type.Integer({ minimum: 0 }),
        metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
      }),
      { maxItems: 5, description: 'Newest first.' },
    ),
  ),
});
