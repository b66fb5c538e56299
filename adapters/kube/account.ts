import { AppError } from '#core/errors.ts';

/** A ServiceAccount of a workload cluster. */
export type Account = Readonly<{ namespace: string; name: string }>;

/** RFC 1123 label and subdomain, as Kubernetes checks namespaces and ServiceAccounts. */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Throws AppError invalid for what is no account: empty, blank, or with characters that no Kubernetes name has. Nothing is trimmed or folded. */
export function parseAccount(account: Account): Account {
  if (!LABEL.test(account.namespace) || account.name.length > 253 || !SUBDOMAIN.test(account.name)) {
    throw new AppError('invalid', 'the account of a delivery needs a namespace and a name in the form of Kubernetes names');
  }
  return account;
}

/** User name of the account as RBAC and the audit log show it. Pure. */
export function userOf(account: Account): string {
  return `system:serviceaccount:${account.namespace}:${account.name}`;
}
