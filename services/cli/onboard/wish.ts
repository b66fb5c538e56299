import { unanswered } from '#services/cli/failure.ts';

/** Namespace of the workload cluster in which Weir's accounts live. */
export const systemNamespace = 'weir-system';
/** The account whose only right is to mint tokens for registered accounts. */
export const bootstrapAccount = 'weir-bootstrap';

export type AccountRef = Readonly<{ namespace: string; name: string }>;
export type TenantWish = Readonly<{ tenant: string; namespaces: readonly string[] }>;

/** What the operator asked for, checked. */
export type OnboardWish = Readonly<{
  /** Name of the Cluster in the plane. */
  name: string;
  /** Namespace of the Cluster in the plane. */
  planeNamespace: string;
  labels: Readonly<Record<string, string>>;
  tenants: readonly TenantWish[];
  /** ClusterRole that each tenant's account gets in the tenant's namespaces. */
  role: string;
  /** Further accounts (ClusterAccounts) that the bootstrap account may mint tokens for. */
  accounts: readonly AccountRef[];
}>;

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
/** `tenant-<name>` is a name of at most 63 characters. */
const maxTenantLength = 56;

/** Account of a tenant in a workload cluster. */
export function tenantAccount(tenant: string): AccountRef {
  return { namespace: systemNamespace, name: `tenant-${tenant}` };
}

/** `team-a=apps-a,team-b=apps-b+apps-b2`: a tenant may be named again, or its namespaces joined by `+`. Throws CliFailure (exit 2). Pure. */
export function parseTenants(text: string): readonly TenantWish[] {
  const found = new Map<string, readonly string[]>();
  for (const part of parts(text)) {
    const [tenant, namespaces] = pair(part, '--tenants', 'tenant=namespace');
    if (tenant.length > maxTenantLength) throw unanswered(`--tenants: the name ${quoted(tenant)} is above ${maxTenantLength} characters`);
    const names = namespaces.split('+').map((one) => label(one, '--tenants', 'a namespace'));
    found.set(label(tenant, '--tenants', 'a tenant'), [...new Set([...(found.get(tenant) ?? []), ...names])]);
  }
  return [...found].map(([tenant, namespaces]) => ({ tenant, namespaces }));
}

/** `env=prod,region=eu`. Throws CliFailure (exit 2). Pure. */
export function parseLabels(text: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const part of parts(text)) {
    const [key, value] = pair(part, '--labels', 'key=value');
    if (!LABEL_KEY.test(key) || !LABEL_VALUE.test(value)) throw unanswered(`--labels: ${quoted(part)} is no label`);
    found[key] = value;
  }
  return found;
}

/** `apps-a/deployer,apps-b/deployer`. Throws CliFailure (exit 2). Pure. */
export function parseAccounts(text: string): readonly AccountRef[] {
  return parts(text).map((part) => {
    const [namespace, name, ...more] = part.split('/');
    if (namespace === undefined || name === undefined || more.length > 0)
      throw unanswered(`--accounts: ${quoted(part)} is not of the form namespace/name`);
    return { namespace: label(namespace, '--accounts', 'a namespace'), name: label(name, '--accounts', 'a service account') };
  });
}

/** A name of at most 63 lower-case letters, digits and `-`. Throws CliFailure (exit 2). */
export function label(text: string, flag: string, what: string): string {
  if (!LABEL.test(text)) throw unanswered(`${flag}: ${quoted(text)} is no name of ${what}: at most 63 of a-z, 0-9 and -`);
  return text;
}

function parts(text: string): readonly string[] {
  return text.split(',').filter((part) => part !== '');
}

function pair(part: string, flag: string, form: string): readonly [string, string] {
  const equals = part.indexOf('=');
  if (equals < 1) throw unanswered(`${flag}: ${quoted(part)} is not of the form ${form}`);
  return [part.slice(0, equals), part.slice(equals + 1)];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
