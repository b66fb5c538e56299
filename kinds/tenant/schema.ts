import Type, { type Static } from 'typebox';

const Label = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';
const Role = Type.Enum(['viewer', 'editor', 'admin'], { description: 'What the role may do: see docs/tenancy.' });

/** An owner with members, namespaces of the plane, allowed sources and allowed places. */
export type TenantBody = Static<typeof TenantBody>;
export const TenantBody = Type.Object({
  spec: Type.Object(
    {
      displayName: Type.Optional(Type.String({ maxLength: 128, description: 'Name for people. Default: the object name.' })),
      namespaces: Type.Object(
        {
          names: Type.Optional(
            Type.Array(Type.String({ pattern: Label, maxLength: 63 }), {
              maxItems: 256,
              description: 'Exact names the tenant may use.',
              'x-kubernetes-list-type': 'atomic',
            }),
          ),
          prefixes: Type.Optional(
            Type.Array(Type.String({ pattern: '^[a-z0-9][-a-z0-9]{0,61}$', maxLength: 62 }), {
              maxItems: 64,
              description: 'Beginnings of names the tenant may use, such as `acme-`. Prefixes and names of two tenants must not overlap.',
              'x-kubernetes-list-type': 'atomic',
            }),
          ),
        },
        { description: 'Which namespaces of the plane the tenant may create.' },
      ),
      members: Type.Optional(
        Type.Array(
          Type.Object({
            subject: Type.String({
              minLength: 1,
              maxLength: 512,
              description: 'Subject (`sub`) of the identity provider, never an e-mail address.',
            }),
            role: Role,
          }),
          {
            maxItems: 1_000,
            description: 'People with a role in the tenant.',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['subject'],
          },
        ),
      ),
      groups: Type.Optional(
        Type.Array(
          Type.Object({
            oidcGroup: Type.String({ minLength: 1, maxLength: 512, description: 'Group claim of the identity provider.' }),
            role: Role,
          }),
          {
            maxItems: 256,
            description: 'Groups with a role in the tenant; the strongest role of a person counts.',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['oidcGroup'],
          },
        ),
      ),
      sourceAllow: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 2_048 }), {
          maxItems: 256,
          description:
            'URLs of sources the tenant may use; `*` stands for any text without a slash, `**` for any text. Empty: all that the egress rules allow.',
          'x-kubernetes-list-type': 'atomic',
        }),
      ),
      destinationAllow: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
          maxItems: 256,
          description:
            '`<cluster>/<namespace>` pairs the tenant may deliver to; `*` stands for any. Empty: all that the cluster grants allow.',
          'x-kubernetes-list-type': 'atomic',
        }),
      ),
      suspend: Type.Optional(
        Type.Boolean({ description: 'Stops all work and all sign-in of the tenant; nothing in clusters changes. Default false.' }),
      ),
    },
    { description: 'What the platform allows this tenant, and who belongs to it.' },
  ),
});
