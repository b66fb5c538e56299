import type { Expression, Node, Rule } from './rule.ts';

const openers: ReadonlySet<string> = new Set(['inTenant']);

/** Inside a transaction only the transaction is waited for: a network call there holds a connection and its locks (conventions, section 3, Transactions). */
export const txAwaitOnly: Rule = {
  meta: { messages: { foreign: 'Only `{{tx}}` is awaited inside {{opener}}: do this before the transaction or after its commit.' } },
  create(context) {
    const open: { node: Node; tx: string; opener: string }[] = [];
    return {
      CallExpression(node) {
        const opener = nameOf(node.callee);
        if (!openers.has(opener)) return;
        const body = node.arguments.find((one) => one.type === 'ArrowFunctionExpression' || one.type === 'FunctionExpression');
        if (body === undefined || !('params' in body)) return;
        const [first] = body.params;
        if (first?.type === 'Identifier') open.push({ node, tx: first.name, opener });
      },
      'CallExpression:exit'(node) {
        if (open.at(-1)?.node === node) open.pop();
      },
      AwaitExpression(node) {
        const inside = open.at(-1);
        if (inside === undefined || isWithinOpener(node, inside.node)) return;
        const words = context.sourceCode.getText(node.argument).split(/[^\w$]+/);
        if (!words.includes(inside.tx)) context.report({ node, messageId: 'foreign', data: { tx: inside.tx, opener: inside.opener } });
      },
    };
  },
};

function nameOf(callee: Expression): string {
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier' ? callee.property.name : '';
}

/** `await` in an argument other than the callback, such as `inTenant(await scope(), …)`, runs before the transaction opens. */
function isWithinOpener(node: Node, opener: Node): boolean {
  for (let one: Node | null = node; one !== null && one !== opener; one = one.parent) {
    if (one.type === 'ArrowFunctionExpression' || one.type === 'FunctionExpression') return false;
  }
  return true;
}
