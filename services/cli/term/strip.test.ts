import { expect, test } from 'vitest';
import { oneLine, stripControls } from './strip.ts';

test.each([
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u009b1;31mred', 'red'],
  ['\u001b]0;title\u0007after', 'after'],
  ['\u001b]8;;https://evil.invalid\u001b\\link\u001b]8;;\u001b\\', 'link'],
  ['\u001b]52;c;ZXZpbA==\u0007x', 'x'],
  ['\u001bP1$r\u001b\\x', 'x'],
  ['bell\u0007 back\bspace \u007f\u0000', 'bell backspace '],
  ['over\rwrite', 'overwrite'],
  ['abc\u202edef\u2066', 'abcdef'],
  ['\u001bc\u001b(0reset', 'reset'],
  ['tab\tand\nline', 'tab\tand\nline'],
  ['käse ✔ 漢字 😀', 'käse ✔ 漢字 😀'],
  ['\u001b', ''],
])('%j is shown as %j', (text, shown) => {
  expect(stripControls(text)).toBe(shown);
});

test('a cell is on one line', () => {
  expect(oneLine(' a\r\n  b\tc ')).toBe('a b c');
});

test('a long hostile text takes no time', () => {
  const startedMs = performance.now();
  stripControls('\u001b]'.repeat(50_000) + '\u001b['.repeat(50_000));
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
