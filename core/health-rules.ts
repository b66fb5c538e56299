import { createEvaluator, type Evaluator, type Expression, holds, namesOf, parseRule } from './cel/expression.ts';
import { at, type JsonObject } from './json.ts';
import { splitApiVersion } from './object-id.ts';
import type { Health, ObjectRef, Patterns } from './ports.ts';

/** One entry of `spec.healthCheckExprs`. */
export type HealthExpressions = Readonly<{ apiVersion: string; kind?: string; current: string; inProgress?: string; failed?: string }>;
export type Verdict = Pick<Health, 'is' | 'message'>;

/** Health by a tenant's own expressions. */
export type HealthRules = Readonly<{
  /** True when an entry covers this kind: by its group, whatever the version; one without kind covers the whole group. */
  covers(ref: Pick<ObjectRef, 'apiVersion' | 'kind'>): boolean;
  /** What the expressions make of a whole live object. An error of an expression is `unknown`: it is neither success nor failure. */
  judge(ref: Pick<ObjectRef, 'apiVersion' | 'kind'>, object: JsonObject): Verdict;
}>;

type Rule = Readonly<{ inProgress: Expression | null; failed: Expression | null; current: Expression }>;

/** The rules, or why an expression is none. The evaluator's limit holds for everything that the rules will judge. */
export function healthRules(
  entries: readonly HealthExpressions[],
  patterns: Patterns,
): Readonly<{ is: 'rules'; rules: HealthRules }> | Readonly<{ is: 'invalid'; message: string }> {
  const byKind = new Map<string, Rule>();
  for (const [index, entry] of entries.entries()) {
    const read = ruleOf(entry);
    if ('invalid' in read) return { is: 'invalid', message: `spec.healthCheckExprs[${index}].${read.invalid}` };
    byKind.set(keyOf(entry.apiVersion, entry.kind ?? ''), read);
  }
  const evaluator = createEvaluator(patterns);
  const find = ({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): Rule | undefined =>
    byKind.get(keyOf(apiVersion, kind)) ?? byKind.get(keyOf(apiVersion, ''));
  return {
    is: 'rules',
    rules: {
      covers: (ref) => find(ref) !== undefined,
      judge: (ref, object) => {
        const rule = find(ref);
        return rule === undefined ? { is: 'unknown', message: 'no expression covers this kind' } : judge(rule, object, evaluator);
      },
    },
  };
}

function keyOf(apiVersion: string, kind: string): string {
  return `${splitApiVersion(apiVersion).group}/${kind}`;
}

function ruleOf(entry: HealthExpressions): Rule | Readonly<{ invalid: string }> {
  const read = (field: 'current' | 'inProgress' | 'failed'): Expression | null | Readonly<{ invalid: string }> => {
    const source = entry[field] ?? '';
    if (source === '' && field !== 'current') return null;
    const parsed = parseRule(source);
    return parsed.is === 'invalid' ? { invalid: `${field} is no valid CEL expression, ${parsed.message}` } : parsed.expression;
  };
  const [current, inProgress, failed] = [read('current'), read('inProgress'), read('failed')];
  for (const one of [current, inProgress, failed]) if (one !== null && 'invalid' in one) return one;
  if (current === null || 'invalid' in current) return { invalid: 'current is missing' };
  return {
    current,
    inProgress: inProgress === null || 'invalid' in inProgress ? null : inProgress,
    failed: failed === null || 'invalid' in failed ? null : failed,
  };
}

/** In the order of Flux's RFC 0009: the observed generation, then inProgress, failed, current; none that holds means in progress. */
function judge(rule: Rule, object: JsonObject, evaluator: Evaluator): Verdict {
  const observed = at(object, 'status', 'observedGeneration');
  const generation = at(object, 'metadata', 'generation');
  if (observed !== undefined && generation !== undefined && observed !== generation)
    return { is: 'inProgress', message: 'its generation is not observed yet' };
  const names = namesOf(object, evaluator);
  for (const is of ['inProgress', 'failed', 'current'] as const) {
    const expression = rule[is];
    if (expression === null) continue;
    const answer = holds(expression, names, evaluator);
    if (answer.is === 'error') return { is: 'unknown', message: `the ${is} expression of healthCheckExprs failed: ${answer.message}` };
    if (answer.value) return { is, message: `the ${is} expression holds` };
  }
  return { is: 'inProgress', message: 'no expression of healthCheckExprs holds yet' };
}
