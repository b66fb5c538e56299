import { type Answer, messageOf } from '#adapters/kube/answer.ts';
import { apiPath } from '#adapters/kube/paths.ts';
import { createNamespaces, type Right, unusualRights, usualRights } from '#adapters/kube/rights.ts';
import type { Session } from '#adapters/kube/session.ts';
import { AppError } from '#core/errors.ts';
import { at, isObject, type Json, stringifyJson } from '#core/json.ts';

/** Every right that is missing, at once: `apps-a: create, patch deployments.apps`. The message also says what the usual role never gives. */
export type Preflight = Readonly<{ missing: readonly string[]; message: string }>;

type Rule = Readonly<{ verbs: readonly string[]; groups: readonly string[]; resources: readonly string[]; named: boolean }>;
type Rules = Readonly<{ rules: readonly Rule[]; incomplete: boolean }>;

const timeoutMs = 15_000;
const maxBytes = 4 * 1024 * 1024;

/** Asks the cluster, as the account itself, what it may do in each namespace. Throws AppError clusterRefused, clusterUnreachable, clusterAnswer. */
export async function checkRights(
  session: Session,
  namespaces: readonly string[],
  signal: AbortSignal,
  needed: readonly Right[] = usualRights,
): Promise<Preflight> {
  const missing: string[] = [];
  const absent: string[] = [];
  for (const namespace of namespaces) {
    const rules = await rulesIn(session, namespace, signal);
    for (const right of needed) {
      const verbs = await missingVerbs(session, namespace, right, rules, signal);
      if (verbs.length > 0) missing.push(`${namespace}: ${verbs.join(', ')} ${nameOf(right)}`);
    }
    for (const right of unusualRights)
      if ((await missingVerbs(session, namespace, right, rules, signal)).length > 0) absent.push(`${nameOf(right)} in ${namespace}`);
  }
  if (!(await isAllowed(session, '', createNamespaces, 'create', signal))) absent.push('namespaces');
  return { missing, message: messageFor(session.account, namespaces, missing, absent) };
}

function messageFor(account: string, namespaces: readonly string[], missing: readonly string[], absent: readonly string[]): string {
  const first =
    missing.length === 0
      ? `${account} has the usual rights in ${namespaces.join(', ')}`
      : `${account} lacks ${missing.join('; ')}. Bind a role that has them, or run \`weir cluster onboard\` again`;
  return absent.length === 0 ? first : `${first}. It can’t create ${absent.join(', ')}`;
}

async function missingVerbs(
  session: Session,
  namespace: string,
  right: Right,
  rules: Rules,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const verbs = right.verbs.filter((verb) => !rules.rules.some((rule) => covers(rule, right, verb)));
  // An authorizer that can't list its rules says so: then each right is asked for by itself.
  if (!rules.incomplete) return verbs;
  const allowed = await Promise.all(verbs.map((verb) => isAllowed(session, namespace, right, verb, signal)));
  return verbs.filter((_verb, index) => allowed[index] !== true);
}

function covers(rule: Rule, right: Right, verb: string): boolean {
  const has = (list: readonly string[], one: string): boolean => list.includes(one) || list.includes('*');
  return !rule.named && has(rule.verbs, verb) && has(rule.groups, right.group) && has(rule.resources, right.resource);
}

async function rulesIn(session: Session, namespace: string, signal: AbortSignal): Promise<Rules> {
  const answer = await review(session, 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', { namespace }, signal);
  const rules = at(answer.body ?? undefined, 'status', 'resourceRules');
  return {
    incomplete: at(answer.body ?? undefined, 'status', 'incomplete') === true,
    rules: (Array.isArray(rules) ? rules : [])
      .slice(0, 10_000)
      .filter(isObject)
      .map((rule) => ({
        verbs: texts(rule['verbs']),
        groups: texts(rule['apiGroups']),
        resources: texts(rule['resources']),
        named: texts(rule['resourceNames']).length > 0,
      })),
  };
}

async function isAllowed(session: Session, namespace: string, right: Right, verb: string, signal: AbortSignal): Promise<boolean> {
  const resourceAttributes = { group: right.group, resource: right.resource, verb, ...(namespace === '' ? {} : { namespace }) };
  const answer = await review(session, 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', { resourceAttributes }, signal);
  return at(answer.body ?? undefined, 'status', 'allowed') === true;
}

async function review(session: Session, resource: string, kind: string, spec: Json, signal: AbortSignal): Promise<Answer> {
  const body = stringifyJson({ apiVersion: 'authorization.k8s.io/v1', kind, spec });
  const answer = await session.request({
    method: 'POST',
    path: apiPath('apis', 'authorization.k8s.io', 'v1', resource),
    body,
    contentType: 'application/json',
    timeoutMs,
    maxBytes,
    signal,
  });
  if (answer.status !== 201)
    throw new AppError(
      'clusterAnswer',
      `cluster ${session.clusterName} does not tell what ${session.account} may do: ${messageOf(answer)}`,
    );
  return answer;
}

function nameOf(right: Right): string {
  return right.group === '' ? right.resource : `${right.resource}.${right.group}`;
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
