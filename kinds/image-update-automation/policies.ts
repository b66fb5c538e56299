import { at, type Json, textAt } from '#core/json.ts';
import type { Lookup } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { ImageUpdateAutomationSpec, Policies } from './schema.ts';

type Selector = ImageUpdateAutomationSpec['policySelector'];
type Requirement = NonNullable<NonNullable<Selector>['matchExpressions']>[number];

/** What is wrong with a selector, or null. Pure. */
export function selectorProblem(selector: Selector): string | null {
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator))
      return `failed to parse policy selector: '${operator.slice(0, 50)}' is not a valid operator`;
    const takesValues = operator === 'In' || operator === 'NotIn';
    if (takesValues && values.length === 0)
      return `failed to parse policy selector: values of '${key.slice(0, 100)}' must be set with ${operator}`;
    if (!takesValues && values.length > 0)
      return `failed to parse policy selector: values of '${key.slice(0, 100)}' must not be set with ${operator}`;
  }
  return null;
}

/** The choices of the selected policies of a namespace, by name; a policy that has chosen nothing yet does not count. */
export async function readPolicies(lookup: Lookup, namespace: string, selector: Selector): Promise<Policies> {
  const found: Record<string, Policies[string]> = {};
  for (const policy of await lookup.list('ImagePolicy', namespace)) {
    const ref = policy.deletingAtMs === null && isSelected(selector, policy) ? refOf(at(policy.status ?? {}, 'latestRef')) : null;
    if (ref !== null) found[policy.name] = ref;
  }
  return found;
}

function refOf(latest: Json | undefined): Policies[string] | null {
  const name = textAt(latest, 'name');
  const tag = textAt(latest, 'tag');
  const digest = textAt(latest, 'digest');
  if (name === undefined || tag === undefined) return null;
  return { name, tag, ...(digest === undefined ? {} : { digest }) };
}

function isSelected(selector: Selector, { labels }: StoredObject): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const label = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(matchLabels).every(([key, value]) => label(key) === value) && matchExpressions.every((one) => holds(one, label(one.key)))
  );
}

function holds({ operator, values = [] }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
