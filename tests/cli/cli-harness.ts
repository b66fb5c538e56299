import { join } from 'node:path';
import { systemClock } from '#core/time.ts';
import type { Cli } from '#services/cli/cli.ts';
import { readEnvironment } from '#services/cli/config/environment.ts';
import { run } from '#services/cli/program.ts';
import { narrator } from '#services/cli/term/narrate.ts';

export type Ran = Readonly<{ code: number; out: string; err: string }>;
export type CliOptions = Readonly<{
  home: string;
  variables?: Readonly<Record<string, string>>;
  input?: string;
  answers?: readonly string[];
  signal?: AbortSignal;
  nowMs?: () => number;
  onErr?: (text: string) => void;
}>;

/** The command in this process with captured streams that are no terminal (unless `answers` are given), and a home of its own. */
export function capturedCli(options: CliOptions): Readonly<{ cli: Cli; out(): string; err(): string }> {
  const seen = { out: '', err: '' };
  const env = readEnvironment({ HOME: options.home, PATH: process.env['PATH'], ...options.variables }, 'linux');
  const answers = [...(options.answers ?? [])];
  const io = Object.freeze({
    out: (text: string) => void (seen.out += text),
    err: (text: string) => {
      seen.err += text;
      options.onErr?.(text);
    },
    readInput: async () => options.input ?? '',
    ask: async () => answers.shift() ?? '',
    canAsk: options.answers !== undefined,
    outIsTerminal: false,
    errIsTerminal: false,
    colour: false,
    columns: null,
  });
  const clock = options.nowMs === undefined ? systemClock : { ...systemClock, nowMs: options.nowMs };
  const cli = Object.freeze({
    env,
    io,
    narrate: narrator(io),
    clock,
    signal: options.signal ?? new AbortController().signal,
    program: join(import.meta.dirname, '../../bin/weir.js'),
  });
  return { cli, out: () => seen.out, err: () => seen.err };
}

/** Runs one command line. */
export async function weir(options: CliOptions, ...args: readonly string[]): Promise<Ran> {
  const captured = capturedCli(options);
  const code = await run(args, captured.cli);
  return { code, out: captured.out(), err: captured.err() };
}
