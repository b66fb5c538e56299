import type { ChildProcess, StdioOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { SandboxResult } from './types.ts';

const MAX_STDERR_BYTES = 64 * 1024;

export type Execution = Readonly<{
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  stdin: Uint8Array | undefined;
  /** An open file that the program gets as descriptor 3. */
  filterFd: number | undefined;
  timeoutMs: number;
  maxOutputBytes: number;
}>;

/** Starts a program in a process group of its own and collects what it says. The group is killed on abort and on a limit, and is gone when this returns. */
export async function execute(execution: Execution, signal: AbortSignal): Promise<SandboxResult> {
  signal.throwIfAborted();
  const [command = '', ...args] = execution.argv;
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe'];
  if (execution.filterFd !== undefined) stdio.push(execution.filterFd);
  const child = spawn(command, args, { env: execution.env, cwd: execution.cwd, stdio, detached: true });
  let stoppedBy: SandboxResult['stoppedBy'] = null;
  const stop = (why: SandboxResult['stoppedBy']): void => {
    stoppedBy ??= why;
    void killTree(child);
  };
  const onAbort = (): void => stop(null);
  const timer = setTimeout(() => stop('timeout'), execution.timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const output = collect(streamOf(child.stdout), execution.maxOutputBytes, () => stop('output'));
    const complaint = collect(streamOf(child.stderr), MAX_STDERR_BYTES, () => undefined);
    giveInput(child, execution.stdin);
    const exitCode = await ended(child);
    signal.throwIfAborted();
    return { exitCode, stoppedBy, stdout: output(), stderr: complaint().toString('utf8') };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

function streamOf(stream: Readable | null): Readable {
  if (stream === null) throw new Error('the program has no output pipe');
  return stream;
}

function giveInput(child: ChildProcess, input: Uint8Array | undefined): void {
  // A program that ends without reading its input breaks the pipe: its exit code tells the story.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
}

/** Keeps the first `maxBytes` and reads on without keeping, so that the program is not blocked; `onMore` is told once. */
function collect(stream: Readable, maxBytes: number, onMore: () => void): () => Buffer {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    const room = maxBytes - bytes;
    bytes += chunk.length;
    if (room > 0) chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    if (room >= 0 && bytes > maxBytes) onMore();
  });
  return () => Buffer.concat(chunks);
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve(code ?? (killedBy === null ? 1 : 128 + signalNumber(killedBy))));
  });
}

function signalNumber(name: NodeJS.Signals): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15, SIGXCPU: 24, SIGXFSZ: 25, SIGSYS: 31 };
  return numbers[name] ?? 1;
}

/** Kills the group and, because a program may have left it, the first process of its namespace: with that one the kernel ends all others there. */
async function killTree(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const inner = await childrenOf(pid);
  kill(-pid);
  for (const one of inner) kill(one);
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  try {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text
      .split(' ')
      .filter((part) => part !== '')
      .map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the kill: nothing is left to stop.
  }
}
