import Type, { type Static } from 'typebox';

/** A namespace of the plane; it belongs to one tenant. */
export type NamespaceBody = Static<typeof NamespaceBody>;
export const NamespaceBody = Type.Object({
  spec: Type.Optional(
    Type.Object(
      {
        finalizers: Type.Optional(
          Type.Array(Type.String({ maxLength: 253 }), {
            maxItems: 16,
            description: 'Set by the plane: `kubernetes` until everything in the namespace is gone.',
            'x-kubernetes-list-type': 'atomic',
          }),
        ),
      },
      { description: 'Set by the plane.' },
    ),
  ),
});

export type NamespaceStatus = Static<typeof NamespaceStatus>;
export const NamespaceStatus = Type.Object({
  phase: Type.Optional(
    Type.Enum(['Active', 'Terminating'], {
      description: 'Terminating while the objects of a deleted namespace are torn down; nothing new can be made in it then.',
    }),
  ),
});
