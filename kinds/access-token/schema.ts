import Type, { type Static } from 'typebox';

/** A token for a machine. Its value is shown once, in the answer to its creation. */
export type AccessTokenSpec = Static<typeof AccessTokenSpec>;
export const AccessTokenSpec = Type.Object(
  {
    verbs: Type.Record(
      Type.String({ pattern: '^(\\*|[a-z]{1,63}(/[a-z]{1,63})?)$' }),
      Type.Array(Type.Enum(['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection']), {
        maxItems: 8,
        'x-kubernetes-list-type': 'set',
      }),
      {
        minProperties: 1,
        description: 'Verbs by plural; `*` stands for every plural. Never more than who made the token may do at the time of use.',
      },
    ),
    expiresAt: Type.String({
      maxLength: 64,
      format: 'date-time',
      description: 'When the token ends (RFC 3339): in the future, at most one year away.',
    }),
    description: Type.Optional(Type.String({ maxLength: 256, description: 'What the token is for.' })),
  },
  { description: 'What the token may do, and until when. Cannot be changed.' },
);
export const AccessTokenBody = Type.Object({ spec: AccessTokenSpec });

/** What is shown of a token; the value only in the answer to its creation. */
export type AccessTokenStatus = Static<typeof AccessTokenStatus>;
export const AccessTokenStatus = Type.Object({
  token: Type.Optional(Type.String({ maxLength: 128, description: 'The token itself: only in the answer to its creation, never stored.' })),
  prefix: Type.Optional(Type.String({ maxLength: 32, description: 'Beginning of the token, by which a leaked one is found.' })),
  groups: Type.Optional(
    Type.Array(Type.String({ maxLength: 256 }), {
      maxItems: 1_000,
      description: 'OIDC groups of the maker when the token was made: through them the maker’s role of the day is found.',
      'x-kubernetes-list-type': 'atomic',
    }),
  ),
});
