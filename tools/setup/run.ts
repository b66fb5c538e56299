import { execFile } from 'node:child_process';

export type RunOptions = Readonly<{
  cwd?: string;
  env?: Readonly<Record<string, string | undefined>>;
  timeoutMs: number;
  maxBytes?: number;
}>;
export type RunResult = Readonly<{ ok: boolean; stdout: string; stderr: string; why: string }>;

/** Runs a program to its end without a shell and never throws: `why` says what went wrong (not found, exit code, too slow, too much output). */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  const { timeoutMs, maxBytes = 4 * 1024 * 1024 } = options;
  const settings = {
    cwd: options.cwd,
    env: { ...(options.env ?? process.env) },
    timeout: timeoutMs,
    maxBuffer: maxBytes,
    killSignal: 'SIGKILL' as const,
  };
  return new Promise((done) => {
    execFile(program, [...args], settings, (error, stdout, stderr) => {
      done({ ok: error === null, stdout, stderr, why: error === null ? '' : reasonOf(error, program, timeoutMs) });
    });
  });
}

function reasonOf(error: Error & { code?: string | number | null; killed?: boolean }, program: string, timeoutMs: number): string {
  if (error.code === 'ENOENT') return `${program} is not there`;
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `${program} wrote too much`;
  if (error.killed === true) return `${program} took longer than ${timeoutMs} ms`;
  return typeof error.code === 'number' ? `${program} ended with code ${error.code}` : error.message;
}

/** The last lines of a program's complaint, for a message that a person reads. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
