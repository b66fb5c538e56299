import Type, { type Static } from 'typebox';

const Reference = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 253, description: 'Name of a Secret in the same namespace.' })),
});

/** A robot identity in the plane, and the name used in workload clusters. */
export type ServiceAccountBody = Static<typeof ServiceAccountBody>;
export const ServiceAccountBody = Type.Object({
  automountServiceAccountToken: Type.Optional(Type.Boolean({ description: 'Kept for clients that set it; the plane runs no pods.' })),
  imagePullSecrets: Type.Optional(
    Type.Array(Reference, {
      maxItems: 64,
      description: 'Registry credentials used for what runs as this account.',
      'x-kubernetes-list-type': 'atomic',
    }),
  ),
  secrets: Type.Optional(
    Type.Array(Reference, {
      maxItems: 64,
      description: 'Kept for clients that set it; the plane makes no token Secrets.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-merge-key': 'name',
      'x-kubernetes-patch-strategy': 'merge',
    }),
  ),
});
