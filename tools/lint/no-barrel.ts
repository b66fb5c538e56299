import type { Rule } from './rule.ts';
import { pathOf } from './rule.ts';

/** An `index.ts` builds something. One that only passes names on makes import cycles and slow tests (conventions, section 6, "barrels"). */
export const noBarrel: Rule = {
  meta: { messages: { barrel: 'This index.ts only re-exports: import from the files that define the names.' } },
  create(context) {
    if (!/(^|\/)index\.ts$/.test(pathOf(context))) return {};
    return {
      Program(program) {
        const own = program.body.filter((one) => {
          if (one.type === 'ImportDeclaration' || one.type === 'ExportAllDeclaration') return false;
          return !(one.type === 'ExportNamedDeclaration' && one.declaration === null);
        });
        if (program.body.length > 0 && own.length === 0) context.report({ node: program, messageId: 'barrel' });
      },
    };
  },
};
