import Type, { type Static } from 'typebox';

/** Key names of Secrets and ConfigMaps. */
const KEY = '^[-._a-zA-Z0-9]{1,253}$';

/** A secret; values are sealed with the tenant's key and come back only to who may `get secrets`. */
export type SecretBody = Static<typeof SecretBody>;
export const SecretBody = Type.Object({
  data: Type.Optional(
    Type.Record(Type.String({ pattern: KEY }), Type.String({ maxLength: 1_500_000 }), {
      description: 'Values in base64. Without the right to read secrets the keys are shown without values.',
    }),
  ),
  stringData: Type.Optional(
    Type.Record(Type.String({ pattern: KEY }), Type.String({ maxLength: 1_048_576 }), {
      description: 'Values as text; written into `data` and never shown.',
    }),
  ),
  type: Type.Optional(
    Type.String({
      default: 'Opaque',
      maxLength: 253,
      description: 'What the secret is for, such as `Opaque` or `kubernetes.io/tls`. Cannot be changed.',
    }),
  ),
  immutable: Type.Optional(Type.Boolean({ description: 'When true, the values cannot change any more; the secret can only be deleted.' })),
});
