import { CelSyntaxError, type MacroName, type Node } from './syntax.ts';

function isOneBody(name: string): name is Exclude<MacroName, 'map'> {
  return ['all', 'exists', 'exists_one', 'filter', 'optMap', 'optFlatMap'].includes(name);
}

/** What a call that is a macro stands for, or null when it is none. Throws CelSyntaxError for a macro that is used wrongly. Pure. */
export function macroOf(name: string, of: Node | null, args: readonly Node[], at: number): Node | null {
  const [first, second, third] = args;
  if (of === null) return name === 'has' && args.length === 1 && first !== undefined ? has(first, at) : null;
  if (first === undefined || second === undefined) return null;
  if (isOneBody(name) && args.length === 2) return { is: 'macro', name, of, variable: variableOf(first), filter: null, body: second, at };
  if (name !== 'map' || args.length > 3) return null;
  return {
    is: 'macro',
    name: 'map',
    of,
    variable: variableOf(first),
    filter: third === undefined ? null : second,
    body: third ?? second,
    at,
  };
}

function has(argument: Node, at: number): Node {
  if (argument.is !== 'select' || argument.optional) throw new CelSyntaxError('has() takes a field, such as has(status.phase)', at);
  return { is: 'has', of: argument.of, field: argument.field, at };
}

function variableOf(node: Node): string {
  if (node.is === 'name' && node.name !== '__result__') return node.name;
  throw new CelSyntaxError('the first argument must be a plain name', node.at);
}
