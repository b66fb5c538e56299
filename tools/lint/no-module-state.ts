import type { Expression, Rule, VariableDeclarator } from './rule.ts';

const containers: ReadonlySet<string> = new Set(['Map', 'Set', 'WeakMap', 'WeakSet', 'Array']);
const readonlyTypes: ReadonlySet<string> = new Set(['ReadonlyMap', 'ReadonlySet', 'ReadonlyArray', 'Readonly']);

/** Nothing mutable lives at module level: it would leak between requests, and so between tenants (conventions, section 6, "process globals"). */
export const noModuleState: Rule = {
  meta: {
    messages: {
      let: 'No `{{kind}}` at module level: state belongs to an object that its user makes and passes on.',
      container:
        'A `{{name}}` at module level is shared by all tenants. Make it inside a function, or declare it as ReadonlyMap, ReadonlySet or readonly array.',
    },
  },
  create(context) {
    return {
      Program(program) {
        for (const statement of program.body) {
          const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
          if (declaration?.type !== 'VariableDeclaration') continue;
          if (declaration.declare) continue;
          if (declaration.kind === 'let' || declaration.kind === 'var') {
            context.report({ node: declaration, messageId: 'let', data: { kind: declaration.kind } });
            continue;
          }
          for (const one of declaration.declarations) {
            const name = containerOf(one.init);
            if (name === undefined || isReadonly(one)) continue;
            context.report({ node: one, messageId: 'container', data: { name } });
          }
        }
      },
    };
  },
};

/** What a declaration is filled with, if it is something that can only have been made to be changed; else undefined. */
function containerOf(init: Expression | null): string | undefined {
  if (init?.type === 'NewExpression' && init.callee.type === 'Identifier' && containers.has(init.callee.name)) return init.callee.name;
  if (init?.type === 'ArrayExpression' && init.elements.length === 0) return '[]';
  if (init?.type === 'ObjectExpression' && init.properties.length === 0) return '{}';
  return undefined;
}

function isReadonly(one: VariableDeclarator): boolean {
  const type = one.id.type === 'Identifier' ? one.id.typeAnnotation?.typeAnnotation : undefined;
  if (type === undefined) return false;
  if (type.type === 'TSTypeOperator') return type.operator === 'readonly';
  return type.type === 'TSTypeReference' && type.typeName.type === 'Identifier' && readonlyTypes.has(type.typeName.name);
}
