import Type, { type Static } from 'typebox';

const NAME = '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$';

/** A further account of the tenant on a cluster, beside the default one of the grant. */
export type ClusterAccountSpec = Static<typeof ClusterAccountSpec>;
export const ClusterAccountSpec = Type.Object(
  {
    cluster: Type.String({
      minLength: 1,
      maxLength: 317,
      description: 'Name of a Cluster: in this namespace first, then in `weir-system`; `namespace/name` is exact.',
    }),
    namespace: Type.String({ pattern: NAME, maxLength: 63, description: 'Namespace of the account in the cluster.' }),
    serviceAccountName: Type.String({ pattern: NAME, maxLength: 63, description: 'Name of the account in the cluster.' }),
  },
  { description: 'The account; the cluster’s grant must allow its namespace.' },
);
export const ClusterAccountBody = Type.Object({ spec: ClusterAccountSpec });
