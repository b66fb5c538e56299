import type { JsonObject } from '#core/json.ts';
import {
  type AccountRef,
  bootstrapAccount,
  type OnboardWish,
  systemNamespace,
  type TenantWish,
  tenantAccount,
} from '#services/cli/onboard/wish.ts';

const rbac = 'rbac.authorization.k8s.io';
const labels = Object.freeze({ 'app.kubernetes.io/managed-by': 'weir-onboard' });

/** Accounts that the bootstrap account may already mint tokens for, by namespace: a run with fewer tenants takes none away. */
export type Registered = ReadonlyMap<string, readonly string[]>;

/**
 * Everything that the workload cluster needs, in the order of applying. Built as data, so that no name can become anything else (threats E14).
 * Namespaces carry no labels of ours: they may have been there before. Pure.
 */
export function manifestsFor(wish: OnboardWish, registered: Registered): readonly JsonObject[] {
  return [
    ...namespacesOf(wish).map(namespace),
    serviceAccount({ namespace: systemNamespace, name: bootstrapAccount }),
    ...wish.tenants.map(({ tenant }) => serviceAccount(tenantAccount(tenant))),
    ...wish.accounts.map(serviceAccount),
    ...mintingRoles(wish, registered),
    ...wish.tenants.flatMap((tenant) => tenantBindings(tenant, wish.role)),
  ];
}

function namespacesOf(wish: OnboardWish): readonly string[] {
  const named = [...wish.tenants.flatMap((tenant) => tenant.namespaces), ...wish.accounts.map((account) => account.namespace)];
  return [...new Set([systemNamespace, ...named])];
}

function namespace(name: string): JsonObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

function serviceAccount({ namespace: inNamespace, name }: AccountRef): JsonObject {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: inNamespace, name, labels } };
}

/** In each namespace that holds a registered account: the right to mint tokens for exactly these, bound to the bootstrap account. */
function mintingRoles(wish: OnboardWish, registered: Registered): readonly JsonObject[] {
  const wanted = [
    { namespace: systemNamespace, name: bootstrapAccount },
    ...wish.tenants.map(({ tenant }) => tenantAccount(tenant)),
    ...wish.accounts,
  ];
  return [...new Set(wanted.map((account) => account.namespace))].flatMap((inNamespace) => {
    const names = wanted.filter((account) => account.namespace === inNamespace).map((account) => account.name);
    const resourceNames = [...new Set([...(registered.get(inNamespace) ?? []), ...names])].sort();
    return [
      mintingRole(inNamespace, resourceNames),
      binding(inNamespace, bootstrapAccount, { kind: 'Role', name: bootstrapAccount }, bootstrapAccount),
    ];
  });
}

function mintingRole(inNamespace: string, resourceNames: readonly string[]): JsonObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    metadata: { namespace: inNamespace, name: bootstrapAccount, labels },
    rules: [{ apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'], resourceNames }],
  };
}

function tenantBindings({ tenant, namespaces }: TenantWish, role: string): readonly JsonObject[] {
  const account = tenantAccount(tenant);
  return namespaces.map((inNamespace) => binding(inNamespace, `weir-${account.name}`, { kind: 'ClusterRole', name: role }, account.name));
}

function binding(inNamespace: string, name: string, role: Readonly<{ kind: string; name: string }>, account: string): JsonObject {
  return {
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: { namespace: inNamespace, name, labels },
    roleRef: { apiGroup: rbac, kind: role.kind, name: role.name },
    subjects: [{ kind: 'ServiceAccount', namespace: systemNamespace, name: account }],
  };
}
