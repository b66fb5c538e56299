import type { MemberExpression, Rule } from './rule.ts';

/** Time and chance come from core/time.ts alone, so that a seed replays a schedule (conventions, section 3, Time and chance). */
export const noAmbientTime: Rule = {
  meta: { messages: { ambient: '`{{what}}` cannot be replayed: take the clock or the chance of core/time.ts as an argument.' } },
  create(context) {
    return {
      MemberExpression(node) {
        if (isMember(node, 'Date', 'now')) context.report({ node, messageId: 'ambient', data: { what: 'Date.now' } });
        if (isMember(node, 'Math', 'random')) context.report({ node, messageId: 'ambient', data: { what: 'Math.random' } });
      },
      NewExpression(node) {
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date' || node.arguments.length > 0) return;
        context.report({ node, messageId: 'ambient', data: { what: 'new Date()' } });
      },
      CallExpression(node) {
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'Date') return;
        context.report({ node, messageId: 'ambient', data: { what: 'Date()' } });
      },
    };
  },
};

function isMember(node: MemberExpression, object: string, property: string): boolean {
  return (
    node.object.type === 'Identifier' &&
    node.object.name === object &&
    node.property.type === 'Identifier' &&
    node.property.name === property
  );
}
