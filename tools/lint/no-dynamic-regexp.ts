import type { CallExpression, NewExpression, Rule } from './rule.ts';

/** No tenant's pattern ever reaches JavaScript's backtracking engine: it can hang the process (libraries, 15.4). RE2 runs those. */
export const noDynamicRegexp: Rule = {
  meta: { messages: { dynamic: 'RegExp of something that is not a literal: use a literal, or RE2 for a pattern from outside.' } },
  create(context) {
    function look(node: NewExpression | CallExpression): void {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'RegExp') return;
      const [pattern] = node.arguments;
      if (pattern?.type === 'Literal' || (pattern?.type === 'TemplateLiteral' && pattern.expressions.length === 0)) return;
      context.report({ node, messageId: 'dynamic' });
    }
    return { NewExpression: look, CallExpression: look };
  },
};
