import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

/** The type-aware half of oxlint needs a second program (tsgolint); without it these rules would say nothing at all. */
const snippets = {
  'core/floating.ts': 'declare function go(): Promise<void>;\ngo();\nexport {};',
  'core/misused.ts': 'declare function go(): Promise<boolean>;\nexport const one = go() ? 1 : 2;',
  'core/thenable.ts': 'export async function one(): Promise<number> {\n  return await 3;\n}',
  'core/good.ts': 'declare function go(): Promise<boolean>;\nexport const one = (await go()) ? 1 : 2;',
};

test.each([
  ['typescript(no-floating-promises)', 'core/floating.ts'],
  ['typescript(no-misused-promises)', 'core/misused.ts'],
  ['typescript(await-thenable)', 'core/thenable.ts'],
])('%s finds its mistake', async (rule, path) => {
  expect(await pathsFlagged(rule, snippets)).toEqual([path]);
});
