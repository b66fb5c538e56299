import type { RuleTester } from 'oxlint/plugins-dev';

/** A lint rule as oxlint's plugin interface takes it. The interface is alpha in 1.94: its types are reachable only through its rule tester. */
export type Rule = Extract<Parameters<InstanceType<typeof RuleTester>['run']>[1], { create: (...context: never[]) => unknown }>;
export type Context = Parameters<Rule['create']>[0];
type Visitor = ReturnType<Rule['create']>;
type NodeOf<K extends keyof Visitor> = Parameters<NonNullable<Visitor[K]>>[0];

export type CallExpression = NodeOf<'CallExpression'>;
export type NewExpression = NodeOf<'NewExpression'>;
export type MemberExpression = NodeOf<'MemberExpression'>;
export type VariableDeclarator = NodeOf<'VariableDeclarator'>;
export type Expression = CallExpression['callee'];
export type Argument = CallExpression['arguments'][number];
export type ObjectPropertyKind = NodeOf<'ObjectExpression'>['properties'][number];
export type Node = NonNullable<NodeOf<'AwaitExpression'>['parent']>;

/** The file's path below the folder oxlint was started in, with forward slashes: what folder rules compare. */
export function pathOf(context: Context): string {
  const { cwd, filename } = context;
  const relative = filename.startsWith(cwd) ? filename.slice(cwd.length) : filename;
  return relative.replaceAll('\\', '/').replace(/^\/+/, '');
}
