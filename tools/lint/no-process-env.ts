import type { Rule } from './rule.ts';

/** Configuration is read once, in one file per process, and passed down: a module that reads the environment cannot be tested twice (conventions, section 6). */
export const noProcessEnv: Rule = {
  meta: { messages: { env: 'Read the environment only in the configuration file and pass the value down.' } },
  create(context) {
    return {
      MemberExpression(node) {
        if (node.object.type !== 'Identifier' || node.object.name !== 'process') return;
        const { property } = node;
        const byName = !node.computed && property.type === 'Identifier' && property.name === 'env';
        const byText = node.computed && property.type === 'Literal' && property.value === 'env';
        if (byName || byText) context.report({ node, messageId: 'env' });
      },
      VariableDeclarator(node) {
        if (node.init?.type !== 'Identifier' || node.init.name !== 'process' || node.id.type !== 'ObjectPattern') return;
        const names = node.id.properties.map((one) => (one.type === 'Property' && one.key.type === 'Identifier' ? one.key.name : ''));
        if (names.includes('env')) context.report({ node, messageId: 'env' });
      },
      ImportDeclaration(node) {
        if (node.source.value !== 'node:process' && node.source.value !== 'process') return;
        for (const one of node.specifiers) {
          if (one.type !== 'ImportSpecifier') continue;
          const name = one.imported.type === 'Identifier' ? one.imported.name : one.imported.value;
          if (name === 'env') context.report({ node: one, messageId: 'env' });
        }
      },
    };
  },
};
