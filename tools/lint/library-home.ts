import type { Expression, Rule } from './rule.ts';
import { pathOf } from './rule.ts';

/** One importer per library: its adapter. A pitfall of the library is then handled once (libraries, first rule). `deploy/` composes and `tests/` compares, so both may. */
const homes: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['adapters/redis/'],
  ioredis: ['adapters/redis/'],
  pg: ['adapters/postgres/'],
  kysely: ['adapters/postgres/'],
  'simple-git': ['adapters/git/'],
};
const everywhere: readonly string[] = ['deploy/', 'tests/', 'tools/'];

export const libraryHome: Rule = {
  meta: { messages: { foreign: '`{{library}}` is imported only below {{homes}}: use the port of core/ports.ts.' } },
  create(context) {
    const path = pathOf(context);
    if (everywhere.some((folder) => path.startsWith(folder))) return {};
    function look(source: Expression | null): void {
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
      const library = source.value.split('/')[0] ?? '';
      if (!Object.hasOwn(homes, library)) return;
      const allowed = homes[library] ?? [];
      if (allowed.some((folder) => path.startsWith(folder))) return;
      context.report({ node: source, messageId: 'foreign', data: { library, homes: allowed.join(', ') } });
    }
    return {
      ImportDeclaration: (node) => look(node.source),
      ExportNamedDeclaration: (node) => look(node.source),
      ExportAllDeclaration: (node) => look(node.source),
      ImportExpression: (node) => look(node.source),
    };
  },
};
