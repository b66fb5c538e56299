import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

test('only a literal becomes a RegExp', async () => {
  const flagged = await pathsFlagged('weir(no-dynamic-regexp)', {
    'kinds/a/bad-new.ts': 'export const make = (text: string): RegExp => new RegExp(text);',
    'kinds/a/bad-call.ts': 'export const make = (text: string): RegExp => RegExp(text);',
    'kinds/a/bad-template.ts': 'export const make = (text: string): RegExp => new RegExp(`^${text}$`);',
    'kinds/a/good.ts': 'export const one = new RegExp("^a$");\nexport const two = /^a$/;',
    'tests/oracle/good.test.ts': 'export const make = (text: string): RegExp => new RegExp(text);',
  });
  expect(flagged).toEqual(['kinds/a/bad-call.ts', 'kinds/a/bad-new.ts', 'kinds/a/bad-template.ts']);
});
