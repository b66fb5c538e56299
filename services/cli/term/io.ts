import { createInterface } from 'node:readline/promises';
import type { Environment } from '#services/cli/config/environment.ts';
import { unanswered } from '#services/cli/failure.ts';
import { stripControls } from '#services/cli/term/strip.ts';

/** The streams of one command. Data goes to `out`, everything that is said to people to `err`. */
export type Io = Readonly<{
  /** Data. On a terminal without control characters. */
  out(text: string): void;
  /** Said to people; the caller has stripped what is not ours. */
  err(text: string): void;
  /** All of the standard input; throws above `maxBytes`. */
  readInput(maxBytes: number): Promise<string>;
  /** Asks on the terminal; only called when `canAsk`. */
  ask(question: string): Promise<string>;
  canAsk: boolean;
  outIsTerminal: boolean;
  errIsTerminal: boolean;
  /** Whether narration may use colours. */
  colour: boolean;
  /** Width of the terminal, or null when it is none: nothing is cut then. */
  columns: number | null;
}>;

/** The process's own streams; detects once what they can. */
export function processIo(env: Environment): Io {
  const outIsTerminal = process.stdout.isTTY === true;
  const errIsTerminal = process.stderr.isTTY === true;
  return Object.freeze({
    out: (text: string) => void process.stdout.write(outIsTerminal ? stripControls(text) : text),
    err: (text: string) => void process.stderr.write(text),
    readInput,
    ask,
    canAsk: process.stdin.isTTY === true && errIsTerminal,
    outIsTerminal,
    errIsTerminal,
    colour: env.forceColour || (errIsTerminal && !env.noColour),
    columns: outIsTerminal ? process.stdout.columns : null,
  });
}

async function readInput(maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxBytes) throw unanswered(`the standard input is above the limit of ${maxBytes} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}
