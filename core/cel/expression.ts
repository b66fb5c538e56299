import type { Json, JsonObject } from '#core/json.ts';
import type { Patterns } from '#core/ports.ts';
import { typeOfExpression } from './check.ts';
import { evaluate } from './evaluate.ts';
import { parseCel } from './parse.ts';
import { CelSyntaxError, type Node } from './syntax.ts';
import { dyn, mapType, plain, shownType, type Type } from './types.ts';
import { CelError, CelTooCostly, fromJson, type Purse, purseOf, type Value } from './values.ts';

/** An expression that was read and found good. Plain data: it may be kept and used for many objects. */
export type Expression = Readonly<{ source: string; node: Node }>;
export type Parsed = Readonly<{ is: 'expression'; expression: Expression }> | Readonly<{ is: 'invalid'; message: string }>;
export type Answer = Readonly<{ is: 'value'; value: boolean }> | Readonly<{ is: 'error'; message: string }>;

/** Steps of one evaluation; the names that it may use, turned into values, count as well. A million take about a tenth of a second. */
const MAX_STEPS = 1_000_000;
const MAX_RUN_STEPS = 5_000_000;

/** Reads an expression as Flux reads health rules: its syntax alone is looked at, and it may name any field. Pure. */
export function parseRule(source: string): Parsed {
  return guarded(source, () => undefined);
}

/**
 * Reads an expression as Flux compiles `readyExpr` (`fluxcd/pkg` runtime/cel): the given names alone exist, each a whole object, functions are known and get what they
 * are for, and the result is a bool. Pure.
 */
export function compileCondition(source: string, names: readonly string[]): Parsed {
  return guarded(source, (node) => {
    const declared = new Map<string, Type>(names.map((name) => [name, mapType(plain('string'), dyn)]));
    const type = typeOfExpression(node, declared);
    if (type.name !== 'bool') throw new CelSyntaxError(`the result must be of type bool, not ${shownType(type)}`, 0);
  });
}

function guarded(source: string, check: (node: Node) => void): Parsed {
  try {
    const node = parseCel(source);
    check(node);
    return { is: 'expression', expression: { source, node } };
  } catch (error) {
    if (error instanceof CelSyntaxError) return { is: 'invalid', message: `at character ${error.position}: ${error.message}` };
    throw error;
  }
}

/** Values for several expressions over the same object: it is read once. */
export type Names = Readonly<{ find(name: string): Value | undefined }>;

/** What the expressions of one run share: the engine of patterns, and a limit for all of them together, since a tenant may have many objects. */
export type Evaluator = Readonly<{ patterns: Patterns; total: Purse }>;

export function createEvaluator(patterns: Patterns): Evaluator {
  return { patterns, total: purseOf(MAX_RUN_STEPS) };
}

/** The names of an expression: each key of the object, turned into values when it is first asked for. */
export function namesOf(object: JsonObject, { total }: Pick<Evaluator, 'total'>): Names {
  const known = new Map<string, Value>();
  const purse = within(total);
  return {
    find: (name) => {
      if (known.has(name)) return known.get(name);
      const json: Json | undefined = Object.hasOwn(object, name) ? object[name] : undefined;
      if (json === undefined) return undefined;
      const value = fromJson(json, purse);
      known.set(name, value);
      return value;
    },
  };
}

function within(total: Purse): Purse {
  const own = purseOf(MAX_STEPS);
  return {
    spend: (units) => {
      own.spend(units);
      total.spend(units);
    },
  };
}

/** Whether the condition holds; an error for one that fails, costs too much, or comes to something else than a bool. Never throws for what the expression does. */
export function holds(expression: Expression, names: Names, { patterns, total }: Evaluator): Answer {
  try {
    const value = valueOf(expression, names, { patterns, purse: within(total) });
    return typeof value === 'boolean' ? { is: 'value', value } : { is: 'error', message: 'the result is no bool' };
  } catch (error) {
    if (error instanceof CelError || error instanceof CelTooCostly) return { is: 'error', message: error.message.slice(0, 300) };
    throw error;
  }
}

/** The value itself. Throws CelError, CelTooCostly. */
export function valueOf({ node }: Expression, names: Names, run: Readonly<{ patterns: Patterns; purse: Purse }>): Value {
  return evaluate(node, { ...run, scope: names, evaluate });
}
