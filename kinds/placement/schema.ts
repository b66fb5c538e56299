import Type, { type Static } from 'typebox';

const Names = Type.Array(Type.String({ minLength: 1, maxLength: 317 }), { maxItems: 1_000, 'x-kubernetes-list-type': 'atomic' });
const Selector = Type.Object(
  {
    matchLabels: Type.Record(Type.String({ maxLength: 317 }), Type.String({ maxLength: 63 }), {
      description: 'Labels that must all be there with these values.',
    }),
  },
  { description: 'Selects by labels.' },
);

/** Which definitions run on which clusters. */
export type PlacementSpec = Static<typeof PlacementSpec>;
export const PlacementSpec = Type.Object(
  {
    definitions: Type.Object(
      {
        kinds: Type.Optional(
          Type.Array(Type.Enum(['Kustomization', 'HelmRelease']), {
            maxItems: 8,
            description: 'Kinds that are placed. Empty: every kind that runs on clusters.',
            'x-kubernetes-list-type': 'atomic',
          }),
        ),
        names: Type.Optional(Names),
        selector: Type.Optional(Selector),
      },
      { description: 'Definitions of this namespace: all that match every given part.' },
    ),
    clusters: Type.Object(
      { names: Type.Optional(Names), selector: Type.Optional(Selector) },
      {
        description:
          'Clusters, within what the tenant was granted: by name (own namespace first, then `weir-system`; `namespace/name` is exact) or by label.',
      },
    ),
  },
  { description: 'What runs where.' },
);
export const PlacementBody = Type.Object({ spec: PlacementSpec });

const Condition = Type.Object({
  type: Type.String({ maxLength: 316 }),
  status: Type.Enum(['True', 'False', 'Unknown']),
  reason: Type.String({ maxLength: 1_024 }),
  message: Type.String({ maxLength: 32_768 }),
  lastTransitionTime: Type.String({ maxLength: 64 }),
  observedGeneration: Type.Optional(Type.Integer({ minimum: 0 })),
});

export type PlacementStatus = Static<typeof PlacementStatus>;
export const PlacementStatus = Type.Object({
  definitions: Type.Optional(Type.Integer({ minimum: 0, description: 'Number of definitions selected.' })),
  clusters: Type.Optional(Type.Array(Type.String({ maxLength: 317 }), { maxItems: 10_000, description: 'Clusters selected.' })),
  conditions: Type.Optional(
    Type.Array(Condition, { maxItems: 16, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  ),
  observedGeneration: Type.Optional(Type.Integer({ minimum: -1 })),
});
