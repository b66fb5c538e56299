import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

test('time and chance come from core/time.ts', async () => {
  const flagged = await pathsFlagged('weir(no-ambient-time)', {
    'core/bad-now.ts': 'export const at = Date.now();',
    'kinds/a/bad-reference.ts': 'export function run(clock: () => number = Date.now): number {\n  return clock();\n}',
    'adapters/git/bad-random.ts': 'export const jitter = Math.random();',
    'workers/source/bad-date.ts': 'export const at = new Date();',
    'services/api/bad-text.ts': 'export const at = Date();',
    'core/time.ts': 'export const at = Date.now() + Math.random();',
    'core/good.ts': 'export const text = (ms: number): string => new Date(ms).toISOString();\nexport const at = Date.parse("2026-01-01");',
    'core/good.test.ts': 'export const at = Date.now();',
    'deploy/good.ts': 'export const at = Date.now();',
  });
  expect(flagged).toEqual([
    'adapters/git/bad-random.ts',
    'core/bad-now.ts',
    'kinds/a/bad-reference.ts',
    'services/api/bad-text.ts',
    'workers/source/bad-date.ts',
  ]);
});
