import type { Argument, Expression, ObjectPropertyKind, Rule } from './rule.ts';

const starters: ReadonlySet<string> = new Set(['spawn', 'spawnSync', 'execFile', 'execFileSync', 'fork']);
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'cmd', 'cmd.exe', 'powershell']);

/** No text is ever read by a shell: a tenant's file name would be a command (conventions, section 3, Child processes). */
export const noShell: Rule = {
  meta: {
    messages: {
      exec: '`{{name}}` runs a shell. Use execFile or spawn with an argument array.',
      option: 'The option `shell` makes one string of the arguments. Leave it out.',
      command: 'A shell with -c reads text as a program. Start the program itself with an argument array.',
    },
  },
  create(context) {
    return {
      ImportDeclaration(node) {
        if (!isChildProcess(node.source.value)) return;
        for (const one of node.specifiers) {
          if (one.type !== 'ImportSpecifier') {
            context.report({ node: one, messageId: 'exec', data: { name: 'The whole module child_process' } });
            continue;
          }
          const name = one.imported.type === 'Identifier' ? one.imported.name : one.imported.value;
          if (name === 'exec' || name === 'execSync') context.report({ node: one, messageId: 'exec', data: { name } });
        }
      },
      CallExpression(node) {
        if (!starters.has(nameOf(node.callee))) return;
        for (const argument of node.arguments) {
          const option = argument.type === 'ObjectExpression' ? argument.properties.find(isShellOption) : undefined;
          if (option !== undefined) context.report({ node: option, messageId: 'option' });
        }
        if (isShellCommand(node.arguments)) context.report({ node, messageId: 'command' });
      },
    };
  },
};

function isChildProcess(source: string): boolean {
  return source === 'node:child_process' || source === 'child_process';
}

function nameOf(callee: Expression): string {
  if (callee.type === 'Identifier') return callee.name;
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier' ? callee.property.name : '';
}

function isShellOption(property: ObjectPropertyKind): boolean {
  if (property.type !== 'Property' || property.key.type !== 'Identifier' || property.key.name !== 'shell') return false;
  return !(property.value.type === 'Literal' && property.value.value === false);
}

function isShellCommand(list: readonly Argument[]): boolean {
  const [program, args] = list;
  if (program?.type !== 'Literal' || typeof program.value !== 'string') return false;
  if (!shells.has(program.value.split('/').at(-1) ?? '')) return false;
  return args?.type === 'ArrayExpression' && args.elements.some((one) => one?.type === 'Literal' && /^-[a-z]*c$/.test(String(one.value)));
}
