import { functions } from './functions.ts';
import type { Command, Node, Operand, Pipeline } from './parse.ts';
import { TemplateError } from './tokens.ts';
import { fieldOf, isTrue, textOf, type Value } from './value.ts';

const MAX_OUTPUT = 65_536;
const MAX_STEPS = 200_000;

type Scope = Readonly<{ dot: Value; variables: Map<string, Value>; parent: Scope | null }>;
type Run = { steps: number; made: string[]; length: number };

/** The text of a template over `root`. Throws TemplateError for a field that is not there, more than 64 KiB, or too many steps. Pure. */
export function renderTemplate(nodes: readonly Node[], root: Value): string {
  const run: Run = { steps: 0, made: [], length: 0 };
  renderAll(nodes, { dot: root, variables: new Map([['', root]]), parent: null }, run);
  return run.made.join('');
}

function renderAll(nodes: readonly Node[], scope: Scope, run: Run): void {
  for (const node of nodes) {
    run.steps += 1;
    if (run.steps > MAX_STEPS) throw new TemplateError('the template takes too many steps');
    render(node, scope, run);
  }
}

function render(node: Node, scope: Scope, run: Run): void {
  switch (node.is) {
    case 'text':
      return write(run, node.text);
    case 'print':
      return write(run, textOf(valueOf(node.pipeline, scope)));
    case 'set':
      return set(scope, node.name, valueOf(node.pipeline, scope), node.declares);
    case 'if':
      return renderAll(isTrue(valueOf(node.pipeline, scope)) ? node.body : node.otherwise, inner(scope, scope.dot), run);
    case 'with': {
      const value = valueOf(node.pipeline, scope);
      return isTrue(value) ? renderAll(node.body, inner(scope, value), run) : renderAll(node.otherwise, inner(scope, scope.dot), run);
    }
    case 'range':
      return renderRange(node, scope, run);
  }
}

function renderRange(node: Extract<Node, { is: 'range' }>, scope: Scope, run: Run): void {
  const entries = entriesOf(valueOf(node.pipeline, scope));
  if (entries.length === 0) return renderAll(node.otherwise, inner(scope, scope.dot), run);
  for (const [key, value] of entries) {
    const each = inner(scope, value);
    if (node.key !== null) each.variables.set(node.key, key);
    if (node.value !== null) each.variables.set(node.value, value);
    renderAll(node.body, each, run);
  }
}

function entriesOf(value: Value): readonly (readonly [Value, Value])[] {
  if (typeof value === 'object' && value.is === 'list') return value.items.map((one, index) => [index, one] as const);
  if (typeof value === 'object' && value.is === 'dict') return value.entries;
  throw new TemplateError('range takes a list or a map');
}

function write(run: Run, text: string): void {
  run.length += text.length;
  if (run.length > MAX_OUTPUT) throw new TemplateError(`the message is longer than ${MAX_OUTPUT} characters`);
  run.made.push(text);
}

function inner(scope: Scope, dot: Value): Scope {
  return { dot, variables: new Map(), parent: scope };
}

function set(scope: Scope, name: string, value: Value, declares: boolean): void {
  if (declares) return void scope.variables.set(name, value);
  for (let at: Scope | null = scope; at !== null; at = at.parent) if (at.variables.has(name)) return void at.variables.set(name, value);
  throw new TemplateError(`the variable $${name} is not declared`);
}

function variable(scope: Scope, name: string): Value {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const found = at.variables.get(name);
    if (found !== undefined) return found;
  }
  throw new TemplateError(`the variable $${name} is not declared`);
}

/** The result of a command is the last argument of the next. */
function valueOf(pipeline: Pipeline, scope: Scope): Value {
  let value: Value | undefined;
  for (const command of pipeline) value = run(command, scope, value);
  if (value === undefined) throw new TemplateError('an empty action');
  return value;
}

function run({ call, operands }: Command, scope: Scope, piped: Value | undefined): Value {
  const values = operands.map((one) => operand(one, scope));
  if (call === null) {
    const [value] = values;
    if (value === undefined) throw new TemplateError('an empty action');
    return value;
  }
  const fn = Object.hasOwn(functions, call) ? functions[call] : undefined;
  if (fn === undefined) throw new TemplateError(`'${call}' is not supported`);
  return fn(...values, ...(piped === undefined ? [] : [piped]));
}

function operand(one: Operand, scope: Scope): Value {
  switch (one.is) {
    case 'literal':
      return one.value;
    case 'field':
      return one.names.reduce(fieldOf, scope.dot);
    case 'variable':
      return one.names.reduce(fieldOf, variable(scope, one.name));
    case 'pipeline':
      return valueOf(one.pipeline, scope);
  }
}
