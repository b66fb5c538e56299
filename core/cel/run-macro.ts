import { isTagged } from './convert.ts';
import { attempt, type Evaluation } from './evaluation.ts';
import type { Node } from './syntax.ts';
import { CelError, listOf, none, noOverload, type Value } from './values.ts';

type Macro = Extract<Node, { is: 'macro' }>;

/** Lists give their items, maps their keys (cel-spec, "Macros"). */
export function runMacro(node: Macro, run: Evaluation): Value {
  const of = run.evaluate(node.of, run);
  if (node.name === 'optMap' || node.name === 'optFlatMap') return optional(node, of, run);
  const items = isTagged(of, 'list') ? of.items : isTagged(of, 'map') ? [...of.entries.values()].map((one) => one.key) : null;
  if (items === null) throw noOverload(node.name, of);
  const bind = (item: Value): Evaluation => within(run, node.variable, item);
  switch (node.name) {
    case 'all':
      return quantified(node, items.map(bind), false);
    case 'exists':
      return quantified(node, items.map(bind), true);
    case 'exists_one':
      return items.filter((item) => isTrue(node.body, bind(item))).length === 1;
    case 'filter':
      return listOf(items.filter((item) => isTrue(node.body, bind(item))));
    case 'map':
      return listOf(
        items.flatMap((item) => {
          const inner = bind(item);
          return node.filter === null || isTrue(node.filter, inner) ? [run.evaluate(node.body, inner)] : [];
        }),
      );
  }
}

function within(run: Evaluation, variable: string, item: Value): Evaluation {
  run.purse.spend(1);
  return { ...run, scope: { find: (name) => (name === variable ? item : run.scope.find(name)) } };
}

/** One item that decides wins over the errors of others. */
function quantified(node: Macro, runs: readonly Evaluation[], deciding: boolean): boolean {
  let failure: CelError | null = null;
  for (const run of runs) {
    const value = attempt(node.body, run);
    if (value === deciding) return deciding;
    if (value instanceof CelError) failure ??= value;
    else if (typeof value !== 'boolean') failure ??= noOverload(node.name, value);
  }
  if (failure !== null) throw failure;
  return !deciding;
}

function isTrue(body: Node, run: Evaluation): boolean {
  const value = run.evaluate(body, run);
  if (typeof value !== 'boolean') throw noOverload('filter', value);
  return value;
}

function optional(node: Macro, of: Value, run: Evaluation): Value {
  if (!isTagged(of, 'optional')) throw noOverload(node.name, of);
  if (of.value === undefined) return none;
  const value = run.evaluate(node.body, within(run, node.variable, of.value));
  return node.name === 'optMap' ? { is: 'optional', value } : value;
}
