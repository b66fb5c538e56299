import type { Io } from '#services/cli/term/io.ts';
import { stripControls } from '#services/cli/term/strip.ts';

/** What is told while a command works, on stderr (cli-console 1.4). The marks are flux's. */
export type Narrate = Readonly<{
  start(text: string): void;
  make(text: string): void;
  wait(text: string): void;
  done(text: string): void;
  warn(text: string): void;
  fail(text: string): void;
  /** Without a mark. */
  say(text: string): void;
}>;

type Mark = Readonly<{ sign: string; word: string; colour: number }>;
const marks = Object.freeze({
  start: { sign: '►', word: '', colour: 36 },
  make: { sign: '✚', word: '', colour: 36 },
  wait: { sign: '◎', word: '', colour: 36 },
  done: { sign: '✔', word: '', colour: 32 },
  warn: { sign: '⚠', word: 'warning: ', colour: 33 },
  fail: { sign: '✗', word: 'error: ', colour: 31 },
} satisfies Record<string, Mark>);

/** Marks on a terminal, plain words elsewhere. Everything said passes the stripping of control characters. */
export function narrator(io: Io): Narrate {
  const tell = (mark: Mark, text: string): void => io.err(`${before(io, mark)}${stripControls(text)}\n`);
  return Object.freeze({
    start: (text: string) => tell(marks.start, text),
    make: (text: string) => tell(marks.make, text),
    wait: (text: string) => tell(marks.wait, text),
    done: (text: string) => tell(marks.done, text),
    warn: (text: string) => tell(marks.warn, text),
    fail: (text: string) => tell(marks.fail, text),
    say: (text: string) => io.err(`${stripControls(text)}\n`),
  });
}

function before(io: Io, mark: Mark): string {
  if (!io.errIsTerminal) return mark.word;
  return io.colour ? `\u001b[${mark.colour}m${mark.sign}\u001b[0m ` : `${mark.sign} `;
}
