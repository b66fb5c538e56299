import { expect, test } from 'vitest';
import { answersIn } from './harvest.ts';

const name = 'a'.repeat(64);
const other = 'b'.repeat(64);

test('files come out as they were put in, line breaks in them included', () => {
  const answers = answersIn(Buffer.from(`${name} 4\na\nb\n${other} 0\n.\n`));
  expect([...(answers ?? [])].map(([key, bytes]) => [key, bytes.toString()])).toEqual([
    [name, 'a\nb\n'],
    [other, ''],
  ]);
});

test.each([
  ['nothing', ''],
  ['no file', '.\n'],
  ['a cut file', `${name} 9\nabc`],
  ['a cut end', `${name} 3\nabc`],
  ['more behind the end', `${name} 3\nabc.\nx`],
  ['a name that leads elsewhere', `../../${'a'.repeat(58)} 1\nx.\n`],
  ['the same name twice', `${name} 1\nx${name} 1\ny.\n`],
  ['a size that is none', `${name} -1\nx.\n`],
  ['a line without end', 'x'.repeat(1_000)],
  ['too many files', `${Array.from({ length: 200 }, (_, n) => `${n.toString(16).padStart(64, '0')} 1\nx`).join('')}.\n`],
])('%s is refused as a whole', (_what, text) => {
  expect(answersIn(Buffer.from(text))).toBeNull();
});
