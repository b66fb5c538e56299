import { at, canonicalJson, isObject, type JsonObject, textAt } from '#core/json.ts';
import { refused } from '#services/cli/failure.ts';
import { manifestsFor, type Registered } from '#services/cli/onboard/manifests.ts';
import { bootstrapAccount, type OnboardWish, systemNamespace } from '#services/cli/onboard/wish.ts';
import { describe, type Workload } from '#services/cli/onboard/workload.ts';
import { isStatus } from '#services/cli/plane/status-failure.ts';

export type Change = 'create' | 'change' | 'unchanged';
export type PlannedStep = Readonly<{ object: JsonObject; title: string; change: Change }>;
export type WorkloadPlan = Readonly<{ wish: OnboardWish; steps: readonly PlannedStep[] }>;
export type AppliedStep = Readonly<{ title: string; result: 'created' | 'configured' | 'unchanged' }>;

/**
 * What has to be done in the workload cluster, found by reading and by dry runs: nothing is written. Throws CliFailure (exit 1) when the
 * role to bind does not exist, or an account is already bound to another one.
 */
export async function planWorkload(workload: Workload, wish: OnboardWish): Promise<WorkloadPlan> {
  if (wish.tenants.length > 0) await checkRole(workload, wish.role);
  const manifests = manifestsFor(wish, await registeredAccounts(workload, wish));
  const steps: PlannedStep[] = [];
  for (const object of manifests) steps.push({ object, title: describe(object), change: await changeOf(workload, object) });
  return Object.freeze({ wish, steps });
}

/** Does what is planned, in order, by server-side apply. Doing it again changes nothing. */
export async function applyWorkload(
  workload: Workload,
  plan: WorkloadPlan,
  tell: (step: AppliedStep) => void,
): Promise<readonly AppliedStep[]> {
  const applied: AppliedStep[] = [];
  for (const { object, title, change } of plan.steps) {
    // A dry run said so: the request would change nothing, not even managedFields.
    if (change !== 'unchanged') await applyOne(workload, object);
    const step: AppliedStep = { title, result: change === 'unchanged' ? 'unchanged' : change === 'create' ? 'created' : 'configured' };
    applied.push(step);
    tell(step);
  }
  return applied;
}

const maxTries = 5;

/** A Role is one list: what another operator added since the plan stays in it, and nobody writes over the other in between. */
async function applyOne(workload: Workload, object: JsonObject): Promise<void> {
  if (textAt(object, 'kind') !== 'Role') {
    await workload.apply(object, { dryRun: false });
    return;
  }
  for (let tries = 1; ; tries += 1) {
    const live = await workload.get(object);
    try {
      await workload.apply(live === null ? object : joinedRole(object, live), { dryRun: false });
      return;
    } catch (error) {
      if (!isStatus(error, 409) || tries === maxTries) throw error;
    }
  }
}

/** The wanted role with the names of the live one, for exactly that version of it. */
function joinedRole(object: JsonObject, live: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const resourceNames = [...new Set([...namesIn(object), ...namesIn(live)])].sort();
  const rules = at(object, 'rules');
  const joined = Array.isArray(rules) ? rules.map((rule) => (isObject(rule) ? { ...rule, resourceNames } : rule)) : [];
  return { ...object, metadata: { ...metadata, resourceVersion: textAt(live, 'metadata', 'resourceVersion') ?? '' }, rules: joined };
}

function namesIn(role: JsonObject | null): readonly string[] {
  const rules = at(role ?? {}, 'rules');
  const names = Array.isArray(rules)
    ? rules.flatMap((rule) => (isObject(rule) && Array.isArray(rule['resourceNames']) ? rule['resourceNames'] : []))
    : [];
  return names.filter((name) => typeof name === 'string');
}

/** The accounts that are registered already, from the Roles that are there. */
export async function registeredAccounts(workload: Workload, wish: OnboardWish): Promise<Registered> {
  const found = new Map<string, readonly string[]>();
  for (const namespace of new Set([systemNamespace, ...wish.accounts.map((account) => account.namespace)])) {
    const role = await workload.get({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { namespace, name: bootstrapAccount },
    });
    found.set(namespace, namesIn(role));
  }
  return found;
}

async function checkRole(workload: Workload, role: string): Promise<void> {
  const found = await workload.get({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: role } });
  if (found === null)
    throw refused(`the cluster has no ClusterRole ${JSON.stringify(role)}`, {
      next: 'name another one with --role; every standard cluster has admin, edit and view',
    });
}

async function changeOf(workload: Workload, object: JsonObject): Promise<Change> {
  const live = await workload.get(object);
  if (live === null) return 'create';
  checkBinding(live, object);
  const after = await workload.apply(object, { dryRun: true });
  return canonicalJson(withoutBookkeeping(live)) === canonicalJson(withoutBookkeeping(after)) ? 'unchanged' : 'change';
}

/** A roleRef cannot be changed; deleting a binding of the operator's is not ours to do. */
function checkBinding(live: JsonObject, object: JsonObject): void {
  if (textAt(object, 'kind') !== 'RoleBinding') return;
  const [have, want] = [textAt(live, 'roleRef', 'name'), textAt(object, 'roleRef', 'name')];
  if (have === want) return;
  const namespace = textAt(object, 'metadata', 'namespace') ?? '';
  throw refused(`${describe(object)} binds ${have ?? 'nothing'} and not ${want ?? ''}; the role of a binding cannot be changed`, {
    next: `kubectl delete rolebinding -n ${namespace} ${textAt(object, 'metadata', 'name') ?? ''}, then run the same command`,
  });
}

function withoutBookkeeping(object: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { managedFields: _fields, resourceVersion: _version, ...kept } = metadata;
  return { ...object, metadata: kept };
}
