import { expect, test } from 'vitest';
import type { Io } from './io.ts';
import { narrator } from './narrate.ts';

function said(terminal: boolean, colour: boolean): string {
  const lines: string[] = [];
  const io: Io = {
    out: () => undefined,
    err: (text) => void lines.push(text),
    readInput: async () => '',
    ask: async () => '',
    canAsk: false,
    outIsTerminal: terminal,
    errIsTerminal: terminal,
    colour,
    columns: null,
  };
  const narrate = narrator(io);
  narrate.start('look');
  narrate.done('done \u001b[31mx');
  narrate.warn('careful');
  narrate.fail('no');
  return lines.join('');
}

test('marks on a terminal, plain words elsewhere, colours only where they are wanted', () => {
  expect(said(false, false)).toBe('look\ndone x\nwarning: careful\nerror: no\n');
  expect(said(true, false)).toBe('► look\n✔ done x\n⚠ careful\n✗ no\n');
  expect(said(true, true)).toBe(
    '\u001b[36m►\u001b[0m look\n\u001b[32m✔\u001b[0m done x\n\u001b[33m⚠\u001b[0m careful\n\u001b[31m✗\u001b[0m no\n',
  );
});
