import { expect, test } from 'vitest';
import { goNumber } from './yaml-number.ts';

test.each([
  ['.5', 0.5],
  ['.1_9', 0.19],
  ['.1_9e1_0', 1_900_000_000],
  ['.5_', '.5_'],
  ['._1', '._1'],
  ['.', '.'],
  ['1_000', 1_000],
  ['1:30', '1:30'],
  ['0b-1_', -1],
  ['0b+11', 3],
  ['-0b-1', '-0b-1'],
  ['0b2', '0b2'],
  ['e1234567', 'e1234567'],
])('%s is %o, as Go reads it', (text, value) => {
  expect(goNumber(text)).toBe(value);
});
