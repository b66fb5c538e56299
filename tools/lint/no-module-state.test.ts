import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

test('nothing at module level can be changed', async () => {
  const flagged = await pathsFlagged('weir(no-module-state)', {
    'core/bad-let.ts': 'let count = 0;\nexport function next(): number {\n  count += 1;\n  return count;\n}',
    'core/bad-exported-let.ts': 'export let current: string | undefined;',
    'core/bad-map.ts': 'const seen = new Map<string, number>();\nexport const has = (name: string): boolean => seen.has(name);',
    'core/bad-exported-set.ts': "export const names = new Set(['a']);",
    'core/bad-weak-map.ts': 'export const cache: WeakMap<object, string> = new WeakMap();',
    'core/bad-list.ts': 'export const waiting: string[] = [];',
    'core/good-readonly.ts': "export const names: ReadonlySet<string> = new Set(['a']);\nexport const none: readonly string[] = [];",
    'core/good-table.ts': "export const table = { a: 1 } as const;\nexport const list = ['a', 'b'] as const;",
    'core/good-inside.ts':
      'export function make(): Map<string, number> {\n  let size = 0;\n  size += 1;\n  return new Map([["a", size]]);\n}',
    'core/good.test.ts': 'let shared = 0;\nexport const next = (): number => (shared += 1);',
  });
  expect(flagged).toEqual([
    'core/bad-exported-let.ts',
    'core/bad-exported-set.ts',
    'core/bad-let.ts',
    'core/bad-list.ts',
    'core/bad-map.ts',
    'core/bad-weak-map.ts',
  ]);
});
