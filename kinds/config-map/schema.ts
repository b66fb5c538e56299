import Type, { type Static } from 'typebox';

const KEY = '^[-._a-zA-Z0-9]{1,253}$';

/** Plain values for substitution and settings. */
export type ConfigMapBody = Static<typeof ConfigMapBody>;
export const ConfigMapBody = Type.Object({
  data: Type.Optional(
    Type.Record(Type.String({ pattern: KEY }), Type.String({ maxLength: 1_048_576 }), { description: 'Values as text.' }),
  ),
  binaryData: Type.Optional(
    Type.Record(Type.String({ pattern: KEY }), Type.String({ maxLength: 1_500_000 }), { description: 'Values in base64.' }),
  ),
  immutable: Type.Optional(Type.Boolean({ description: 'When true, the values cannot change any more; the object can only be deleted.' })),
});
