import Type, { type Static } from 'typebox';

const NAME = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';

/** Which tenants may use a cluster, in which of its namespaces, as which account. */
export type ClusterGrantSpec = Static<typeof ClusterGrantSpec>;
export const ClusterGrantSpec = Type.Object(
  {
    cluster: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        description: 'Name of the Cluster beside this object. Default: the name of this object.',
      }),
    ),
    tenants: Type.Array(
      Type.Object({
        tenant: Type.String({ minLength: 1, maxLength: 253, description: 'Name of a tenant; it may not exist yet.' }),
        namespaces: Type.Array(Type.String({ pattern: NAME, maxLength: 63 }), {
          minItems: 1,
          maxItems: 256,
          description: 'Namespaces of the cluster in which the tenant may work.',
          'x-kubernetes-list-type': 'atomic',
        }),
        serviceAccount: Type.Object(
          {
            namespace: Type.String({ pattern: NAME, maxLength: 63, description: 'Namespace of the account in the cluster.' }),
            name: Type.String({ pattern: NAME, maxLength: 63, description: 'Name of the account in the cluster.' }),
          },
          { description: 'The tenant’s default account: every call for it is made as this account.' },
        ),
      }),
      { maxItems: 1_000, description: 'One entry per tenant.', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['tenant'] },
    ),
  },
  { description: 'The rights that the owner of the cluster gives.' },
);
export const ClusterGrantBody = Type.Object({ spec: ClusterGrantSpec });
