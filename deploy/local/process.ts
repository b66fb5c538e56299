import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Children, groupExists, isErrno, signalGroup } from '#deploy/local/children.ts';

export type ProcessSpec = Readonly<{
  /** Word for messages: "etcd of cluster east". */
  name: string;
  /** Absolute path of the program. Never a shell. */
  command: string;
  args: readonly string[];
  /** The whole environment: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Takes stdout and stderr, appended, mode 0600. */
  logFile: string;
  uid?: number;
  gid?: number;
  /** What ends this program in a hurry without harm; SIGKILL where nothing is lost. */
  lastSignal?: NodeJS.Signals;
}>;

export type ServerSpec = ProcessSpec & Readonly<{ ready: () => Promise<boolean>; readyTimeoutMs: number }>;

export type ProcessExit = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>;

export type RunningProcess = Readonly<{
  pid: number;
  isRunning(): boolean;
  /** Settles when the process has ended; never rejects. */
  exited: Promise<ProcessExit>;
  /** Waits for the end and describes it as an error, with the last lines of the log. */
  failure(): Promise<ProcessError>;
  /** Signals the whole group and waits; SIGKILL after `timeoutMs`. Stopping twice is harmless. */
  stop(signal?: NodeJS.Signals, timeoutMs?: number): Promise<ProcessExit>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

/** A program that did not start, did not become ready, or ended with an error. The message quotes the last lines of its log. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError';
}

const stopTimeoutMs = 10_000;
const tailBytes = 4_096;
const tailLines = 12;

/**
 * Starts a server in a process group of its own and returns when `ready` says so.
 * Where util-linux' setpriv exists, the kernel sends `lastSignal` when this process dies, even by SIGKILL.
 * Throws ProcessError with the end of the log when it ends first or the time is over; then nothing of it is left.
 */
export async function startProcess(children: Children, spec: ServerSpec): Promise<RunningProcess> {
  const running = await launch(children, spec);
  const deadline = AbortSignal.timeout(spec.readyTimeoutMs);
  let pauseMs = 10;
  try {
    while (running.isRunning()) {
      if (await spec.ready()) return running;
      if (deadline.aborted) throw new Error(`${spec.name} was not ready after ${spec.readyTimeoutMs} ms`);
      await sleep(pauseMs);
      pauseMs = Math.min(pauseMs * 1.5, 150);
    }
    throw new Error(`${spec.name} ended before it was ready (${describeExit(await running.exited)})`);
  } catch (cause) {
    await running.stop('SIGKILL');
    throw await running.error(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Runs a program to its end. Throws ProcessError with the end of its log unless it exits with 0 within `timeoutMs`. */
export async function runProcess(children: Children, spec: ProcessSpec, timeoutMs: number): Promise<void> {
  const running = await launch(children, spec);
  const timer = AbortSignal.timeout(timeoutMs);
  timer.addEventListener('abort', () => void running.stop('SIGKILL'), { once: true });
  const exit = await running.exited;
  if (exit.code === 0) return;
  throw await running.error(`${spec.name} ${timer.aborted ? `did not end within ${timeoutMs} ms` : `failed (${describeExit(exit)})`}`);
}

type Launched = RunningProcess & Readonly<{ error(message: string, cause?: unknown): Promise<ProcessError> }>;

async function launch(children: Children, spec: ProcessSpec): Promise<Launched> {
  const logStart = await sizeOf(spec.logFile);
  const log = await open(spec.logFile, 'a', 0o600);
  const lastSignal = spec.lastSignal ?? 'SIGKILL';
  const [command, ...args] = dyingWithUs(lastSignal, [spec.command, ...spec.args]);
  try {
    const child = spawn(command, args, {
      cwd: spec.cwd,
      env: { ...spec.env },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    });
    const exited = new Promise<ProcessExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(new ProcessError(`${spec.name} could not be started: ${cause.message}`, { cause })));
    });
    const pid = child.pid;
    if (pid === undefined) throw new ProcessError(`${spec.name} has no process id`);
    children.add({ name: spec.name, pid, lastSignal });
    void exited.then(() => {
      if (!groupExists(pid)) children.remove(pid);
    });
    const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
    const stop = (signal: NodeJS.Signals = 'SIGTERM', timeoutMs = stopTimeoutMs): Promise<ProcessExit> =>
      stopGroup(children, { pid, exited, isRunning }, signal, timeoutMs);
    const error = async (message: string, cause?: unknown): Promise<ProcessError> =>
      new ProcessError(`${message}${await quoteLog(spec.logFile, logStart)}`, { cause });
    const failure = async (): Promise<ProcessError> => error(`${spec.name} ended (${describeExit(await exited)})`);
    const dispose = async (): Promise<void> => void (await stop());
    return Object.freeze({ pid, isRunning, exited, failure, error, stop, [Symbol.asyncDispose]: dispose });
  } finally {
    await log.close();
  }
}

async function stopGroup(
  children: Children,
  target: Readonly<{ pid: number; exited: Promise<ProcessExit>; isRunning(): boolean }>,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<ProcessExit> {
  if (target.isRunning()) signalGroup(target.pid, signal);
  const timer = setTimeout(() => signalGroup(target.pid, 'SIGKILL'), timeoutMs);
  const exit = await target.exited;
  clearTimeout(timer);
  // The leader is gone; what it left in its group goes too.
  if (groupExists(target.pid)) signalGroup(target.pid, 'SIGKILL');
  children.remove(target.pid);
  return exit;
}

/** The kernel forgets the request when a program changes its user, so this stands after the uid that spawn sets, directly before the program. */
function dyingWithUs(signal: NodeJS.Signals, argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));
  return setpriv === undefined ? argv : [setpriv, '--pdeathsig', signal.replace(/^SIG/, ''), '--', ...argv];
}

function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0;
    throw error;
  }
}

async function quoteLog(path: string, fromByte: number): Promise<string> {
  const log = await open(path, 'r');
  try {
    const { size } = await log.stat();
    const start = Math.max(fromByte, size - tailBytes);
    const { buffer, bytesRead } = await log.read({ buffer: Buffer.alloc(tailBytes), position: start });
    const lines = buffer.subarray(0, bytesRead).toString('utf8').trimEnd().split('\n').slice(-tailLines);
    return `; the end of ${path}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  } finally {
    await log.close();
  }
}
