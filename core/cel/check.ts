import { NAMESPACES } from './functions.ts';
import { CelSyntaxError, type Node } from './syntax.ts';
import {
  type Bindings,
  bool,
  dyn,
  isAssignable,
  listType,
  mapType,
  optionalType,
  plain,
  shownType,
  signatures,
  substituted,
  type Type,
} from './types.ts';

type Names = ReadonlyMap<string, Type>;

const TYPE_NAMES: ReadonlySet<string> = Object.freeze(
  new Set(['bool', 'bytes', 'double', 'int', 'list', 'map', 'null_type', 'optional_type', 'string', 'type', 'uint']),
);
const unknown = plain('unknown');

/**
 * The static type of an expression in which only the given names exist, as cel-go's checker finds it. Throws CelSyntaxError for an unknown name or function, or one that
 * is not for these types. Pure.
 */
export function typeOfExpression(node: Node, names: Names): Type {
  const inner = (one: Node): Type => typeOfExpression(one, names);
  switch (node.is) {
    case 'literal':
      return plain(literalType(node.value));
    case 'name':
      return names.get(node.name) ?? (TYPE_NAMES.has(node.name) ? plain('type') : fail(node, `undeclared reference to '${node.name}'`));
    case 'select':
      return isTypeName(node, names) ? plain('type') : fieldType(node, inner(node.of));
    case 'has':
      fieldType(node, inner(node.of));
      return bool;
    case 'index':
      return indexType(node, inner(node.of), inner(node.key));
    case 'list':
      return listType(alike(node, elementsOf(node, names)));
    case 'map':
      return mapType(
        alike(
          node,
          node.entries.map((one) => inner(one.key)),
        ),
        alike(
          node,
          node.entries.map((one) => elementType(one.value, inner(one.value), one.optional)),
        ),
      );
    case 'choice':
      expectBool(node.test, inner(node.test));
      return common(node, [inner(node.yes), inner(node.no)]);
    case 'logic':
      for (const side of [node.left, node.right]) expectBool(side, inner(side));
      return bool;
    case 'macro':
      return macroType(node, names);
    case 'call':
      return callType(node, names);
  }
}

function fail(node: Node, message: string): never {
  throw new CelSyntaxError(message, node.at);
}

function literalType(value: Extract<Node, { is: 'literal' }>['value']): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value === 'object') return 'uint';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'int' : typeof value === 'number' ? 'double' : 'string';
}

function isTypeName(node: Extract<Node, { is: 'select' }>, names: Names): boolean {
  const { of, field } = node;
  const isGoogle = of.is === 'select' && of.field === 'protobuf' && of.of.is === 'name' && of.of.name === 'google';
  return isGoogle && (field === 'Timestamp' || field === 'Duration') && !names.has('google');
}

function fieldType(node: Extract<Node, { is: 'select' | 'has' }>, of: Type): Type {
  const optional = node.is === 'select' && node.optional;
  if (of.name === 'optional') return optionalType(valueType(node, of.of[0] ?? dyn));
  const found = valueType(node, of);
  return optional ? optionalType(found) : found;
}

function valueType(node: Node, of: Type): Type {
  if (of.name === 'map') return of.of[1] ?? dyn;
  if (of.name === 'dyn' || of.name === 'unknown') return dyn;
  return fail(node, `type '${shownType(of)}' does not support field selection`);
}

function indexType(node: Extract<Node, { is: 'index' }>, of: Type, key: Type): Type {
  if (of.name === 'optional') return optionalType(indexType({ ...node, optional: false }, of.of[0] ?? dyn, key));
  const bindings: Bindings = new Map();
  const wanted = of.name === 'list' ? plain('int') : of.name === 'map' ? (of.of[0] ?? dyn) : dyn;
  if (!['list', 'map', 'dyn', 'unknown'].includes(of.name) || !isAssignable(wanted, key, bindings))
    fail(node, `found no matching overload for '_[_]' applied to '(${shownType(of)}, ${shownType(key)})'`);
  const found = of.name === 'list' ? (of.of[0] ?? dyn) : of.name === 'map' ? (of.of[1] ?? dyn) : dyn;
  return node.optional ? optionalType(found) : found;
}

function elementType(node: Node, type: Type, optional: boolean): Type {
  if (!optional) return type;
  if (type.name === 'optional') return type.of[0] ?? dyn;
  return type.name === 'dyn' ? dyn : fail(node, `expected type 'optional_type' but found '${shownType(type)}'`);
}

function elementsOf(node: Extract<Node, { is: 'list' }>, names: Names): readonly Type[] {
  return node.items.map((one) => elementType(one.value, typeOfExpression(one.value, names), one.optional));
}

/** The one type of all parts of a literal; Flux refuses literals of mixed types (HomogeneousAggregateLiterals). */
function alike(node: Node, types: readonly Type[]): Type {
  const joined = common(node, types);
  const odd = types.find((one) => one.name !== 'unknown' && one.name !== joined.name);
  const mixed = joined.name === 'dyn' && types.some((one) => one.name !== 'dyn');
  if (odd !== undefined || mixed) fail(node, `expected parts of one type, but found ${types.slice(0, 8).map(shownType).join(', ')}`);
  return joined;
}

/** One type for all that can take the place of each other. */
function common(node: Node, types: readonly Type[]): Type {
  let joined: Type = unknown;
  for (const type of types) {
    if (joined.name === 'unknown') joined = type;
    else if (type.name === 'dyn') joined = dyn;
    else if (!isAssignable(joined, type, new Map())) fail(node, `expected type '${shownType(joined)}' but found '${shownType(type)}'`);
    else if (joined.name === 'null') joined = type;
  }
  return joined;
}

function expectBool(node: Node, type: Type): void {
  if (!isAssignable(bool, type, new Map())) fail(node, `expected type 'bool' but found '${shownType(type)}'`);
}

function macroType(node: Extract<Node, { is: 'macro' }>, names: Names): Type {
  const of = typeOfExpression(node.of, names);
  const isOptional = node.name === 'optMap' || node.name === 'optFlatMap';
  const allowed = isOptional ? ['optional', 'dyn', 'unknown'] : ['list', 'map', 'dyn', 'unknown'];
  if (!allowed.includes(of.name)) fail(node, `expression of type '${shownType(of)}' cannot be the range of ${node.name}()`);
  const inside = new Map(names).set(node.variable, of.of[0] ?? dyn);
  const body = typeOfExpression(node.body, inside);
  if (node.filter !== null) expectBool(node.filter, typeOfExpression(node.filter, inside));
  switch (node.name) {
    case 'map':
      return listType(body);
    case 'optMap':
      return optionalType(body);
    case 'optFlatMap':
      return body.name === 'optional' || body.name === 'dyn'
        ? body
        : fail(node, `expected type 'optional_type' but found '${shownType(body)}'`);
    case 'filter':
      expectBool(node.body, body);
      return listType(of.of[0] ?? dyn);
    case 'all':
    case 'exists':
    case 'exists_one':
      expectBool(node.body, body);
      return bool;
  }
}

function callType(node: Extract<Node, { is: 'call' }>, names: Names): Type {
  const { target } = node;
  const prefix = target !== null && target.is === 'name' && NAMESPACES.has(target.name) ? target.name : null;
  const name = prefix !== null ? `${prefix}.${node.name}` : target === null ? node.name : `.${node.name}`;
  const overloads = signatures.get(name);
  if (overloads === undefined) fail(node, `undeclared reference to '${node.name}'`);
  const operands = target === null || prefix !== null ? node.args : [target, ...node.args];
  // What format() shows may be of mixed types, as in Go.
  const args = operands.map((one) => {
    if (name !== '.format' || one.is !== 'list') return typeOfExpression(one, names);
    elementsOf(one, names);
    return listType(dyn);
  });
  const results: Type[] = [];
  for (const { args: formals, result } of overloads ?? []) {
    const bindings: Bindings = new Map();
    if (formals.length !== args.length || !formals.every((one, index) => isAssignable(one, args[index] ?? dyn, bindings))) continue;
    results.push(substituted(result, bindings));
  }
  const [first] = results;
  if (first === undefined)
    return fail(node, `found no matching overload for '${node.name}' applied to '(${args.map(shownType).join(', ')})'`);
  return results.every((one) => shownType(one) === shownType(first)) ? first : dyn;
}
