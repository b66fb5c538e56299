import { expect, test } from 'vitest';
import { evaluateJsonPath } from './jsonpath.ts';

const value = {
  metadata: { name: 'a', annotations: { 'weir.dev/x': 'y' } },
  items: [
    { name: 'one', ready: true },
    { name: 'two', ready: false },
  ],
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
  big: 12345678901234567890n,
};

test.each([
  ['{.metadata.name}', 'a'],
  ['.metadata.name', 'a'],
  ['{$.metadata.name}{"\\n"}', 'a\n'],
  ['name={.metadata.name}!', 'name=a!'],
  ['{.items[*].name}', 'one two'],
  ['{.items[0].name} {.items[-1].name}', 'one two'],
  ['{.status.conditions[?(@.type=="Ready")].status}', 'True'],
  ["{.metadata.annotations['weir.dev/x']}", 'y'],
  ['{.metadata.annotations.weir\\.dev/x}', 'y'],
  ['{.items[0]}', '{"name":"one","ready":true}'],
  ['{.big}', '12345678901234567890'],
  ['{.no.such}', ''],
])('%s gives %j', (template, text) => {
  expect(evaluateJsonPath(template, value)).toBe(text);
});

test.each(['{.a', '{range .items[*]}{end}', '{.items[?(@.x > 1)]}', '{.constructor[(1)]}'])('%s is refused with exit 2', (template) => {
  expect(() => evaluateJsonPath(template, value)).toThrow(expect.objectContaining({ exitCode: 2 }));
});

test('prototypes are not reached', () => {
  expect(evaluateJsonPath('{.constructor}{.__proto__}', value)).toBe('');
});
