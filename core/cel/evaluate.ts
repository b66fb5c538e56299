import { negate, operate } from './arithmetic.ts';
import { isTagged } from './convert.ts';
import { attempt, type Evaluation } from './evaluation.ts';
import { callFunction, callMethod, NAMESPACES } from './functions.ts';
import { runMacro } from './run-macro.ts';
import type { Node } from './syntax.ts';
import { CelError, keyOf, none, noOverload, type Value } from './values.ts';

const TYPES: ReadonlySet<string> = Object.freeze(
  new Set(['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'optional_type', 'string', 'type', 'uint']),
);

/** The value of a node. Throws CelError for an error of the expression, CelTooCostly when the purse is empty. Pure but for the purse. */
export function evaluate(node: Node, run: Evaluation): Value {
  run.purse.spend(1);
  switch (node.is) {
    case 'literal':
      return literal(node.value);
    case 'name':
      return named(node.name, run);
    case 'select':
      return wellKnown(node, run) ?? field(evaluate(node.of, run), node.field, node.optional);
    case 'has':
      return hasField(evaluate(node.of, run), node.field);
    case 'index':
      return indexed(evaluate(node.of, run), evaluate(node.key, run), node.optional);
    case 'list':
      return { is: 'list', items: node.items.flatMap(({ value, optional }) => unwrapped(evaluate(value, run), optional)) };
    case 'map':
      return mapOf(node, run);
    case 'choice': {
      const test = evaluate(node.test, run);
      if (typeof test !== 'boolean') throw noOverload('_?_:_', test);
      return evaluate(test ? node.yes : node.no, run);
    }
    case 'logic':
      return logic(node, run);
    case 'macro':
      return runMacro(node, run);
    case 'call':
      return call(node, run);
  }
}

function literal(value: Extract<Node, { is: 'literal' }>['value']): Value {
  return value;
}

function named(name: string, { scope }: Evaluation): Value {
  const found = scope.find(name);
  if (found !== undefined) return found;
  if (TYPES.has(name)) return { is: 'type', name };
  throw new CelError(`no such attribute: ${name}`);
}

/** `google.protobuf.Timestamp` and its like are names of types. */
function wellKnown(node: Extract<Node, { is: 'select' }>, { scope }: Evaluation): Value | null {
  const { of, field: last } = node;
  if (of.is !== 'select' || of.field !== 'protobuf' || of.of.is !== 'name' || of.of.name !== 'google') return null;
  if ((last !== 'Timestamp' && last !== 'Duration') || scope.find('google') !== undefined) return null;
  return { is: 'type', name: `google.protobuf.${last}` };
}

/** A missing field of an optional, or one asked for by `.?`, is none; otherwise it is an error. */
function field(of: Value, name: string, optional: boolean): Value {
  if (isTagged(of, 'optional')) return of.value === undefined ? none : field(of.value, name, true);
  // As cel-go: what has no fields at all lacks this one as well, where that may be; a list is an error.
  if (optional && !isTagged(of, 'map') && !isTagged(of, 'list')) return none;
  if (!isTagged(of, 'map')) throw noOverload(`field ${name} of`, of);
  const found = of.entries.get(`s${name}`);
  if (optional) return { is: 'optional', value: found?.value };
  if (found === undefined) throw new CelError(`no such key: ${name}`);
  return found.value;
}

function hasField(of: Value, name: string): boolean {
  if (isTagged(of, 'optional')) return of.value !== undefined && hasField(of.value, name);
  if (isTagged(of, 'list')) throw noOverload(`field ${name} of`, of);
  return isTagged(of, 'map') && of.entries.has(`s${name}`);
}

function indexed(of: Value, key: Value, optional: boolean): Value {
  if (isTagged(of, 'optional')) return of.value === undefined ? none : indexed(of.value, key, true);
  if (isTagged(of, 'list')) {
    const name = keyOf(key);
    if (name === null || !name.startsWith('n')) throw noOverload('_[_]', of, key);
    const index = Number(name.slice(1));
    const found = index >= 0 ? of.items[index] : undefined;
    if (optional) return { is: 'optional', value: found };
    if (found === undefined) throw new CelError(`index out of bounds: ${index}`);
    return found;
  }
  if (optional && !isTagged(of, 'map')) return none;
  if (!isTagged(of, 'map')) throw noOverload('_[_]', of, key);
  const name = keyOf(key);
  const found = name === null ? undefined : of.entries.get(name)?.value;
  if (optional) return { is: 'optional', value: found };
  if (found === undefined) throw new CelError('no such key');
  return found;
}

function unwrapped(value: Value, optional: boolean): readonly Value[] {
  if (!optional) return [value];
  if (!isTagged(value, 'optional')) throw noOverload('optional element', value);
  return value.value === undefined ? [] : [value.value];
}

function mapOf(node: Extract<Node, { is: 'map' }>, run: Evaluation): Value {
  const entries = new Map<string, Readonly<{ key: Value; value: Value }>>();
  for (const entry of node.entries) {
    const key = evaluate(entry.key, run);
    const name = keyOf(key);
    if (name === null) throw new CelError('unsupported key type');
    for (const value of unwrapped(evaluate(entry.value, run), entry.optional)) entries.set(name, { key, value });
  }
  return { is: 'map', entries };
}

/** Commutative: the side that decides wins over an error on the other (cel-spec, "Logical operators"). */
function logic(node: Extract<Node, { is: 'logic' }>, run: Evaluation): Value {
  const deciding = node.operator === '||';
  const left = attempt(node.left, run);
  if (left === deciding) return deciding;
  const right = attempt(node.right, run);
  if (right === deciding) return deciding;
  for (const side of [left, right]) if (side instanceof CelError) throw side;
  if (typeof left !== 'boolean' || typeof right !== 'boolean') throw new CelError(`no such overload: _${node.operator}_`);
  return !deciding;
}

function call(node: Extract<Node, { is: 'call' }>, run: Evaluation): Value {
  const { name, target, args } = node;
  if (target === null) {
    if (name === '!_' || name === '-_') return negate(name === '!_' ? '!' : '-', evaluate(args[0] ?? node, run));
    const values = args.map((one) => evaluate(one, run));
    const [left = null, right = null] = values;
    return name.startsWith('_') && name.endsWith('_') && values.length === 2
      ? operate(name.slice(1, -1), left, right, run.purse)
      : callFunction(name, values, run);
  }
  if (target.is === 'name' && NAMESPACES.has(target.name))
    return callFunction(
      `${target.name}.${name}`,
      args.map((one) => evaluate(one, run)),
      run,
    );
  const of = evaluate(target, run);
  const [alternative] = args;
  if ((name === 'or' || name === 'orValue') && args.length === 1 && alternative !== undefined && isTagged(of, 'optional')) {
    if (of.value !== undefined) return name === 'or' ? of : of.value;
    const other = evaluate(alternative, run);
    if (name === 'or' && !isTagged(other, 'optional')) throw noOverload('or', of, other);
    return other;
  }
  return callMethod(
    of,
    name,
    args.map((one) => evaluate(one, run)),
    run,
  );
}
