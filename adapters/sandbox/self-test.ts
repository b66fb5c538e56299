import { rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownRuntime } from './own-runtime.ts';
import type { SandboxLimits, SandboxResult, SandboxRun } from './types.ts';

const MAX_PROCESSES = 40;
const TRIES = 1_000;
const LIMITS: SandboxLimits = Object.freeze({
  timeoutMs: 15_000,
  maxOutputBytes: 64 * 1024,
  // Node's engine reserves much more address space than it uses.
  maxMemoryBytes: 2 ** 40,
  maxCpuSeconds: 10,
  maxProcesses: MAX_PROCESSES,
  maxFileBytes: 1024 ** 2,
});

type Run = (input: SandboxRun, signal: AbortSignal) => Promise<SandboxResult>;

/** Tries, inside, to read a canary, to reach a listener and to start 1,000 processes. Returns null when all of it failed as it must, else what went wrong. */
export async function selfTest(run: Run, workDir: string, name: string, signal: AbortSignal): Promise<string | null> {
  const canary = join(workDir, `canary-${name}`);
  await writeFile(canary, 'canary\n', { mode: 0o644 });
  const listener = createServer((socket) => socket.destroy());
  try {
    const port = await listen(listener);
    return judge(await run(await probeRun(canary, port), signal));
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof Error ? error.message : String(error);
  } finally {
    listener.close();
    await rm(canary, { force: true });
  }
}

async function probeRun(canary: string, port: number): Promise<SandboxRun> {
  const runtime = await ownRuntime();
  return {
    ...runtime,
    args: ['--no-warnings', '/probe/probe.mts', canary, String(port), String(TRIES), `/tool/${basename(runtime.command)}`],
    cwd: '/probe',
    readOnly: [{ from: fileURLToPath(new URL('probe.mts', import.meta.url)), to: '/probe/probe.mts' }, ...runtime.readOnly],
    limits: LIMITS,
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('the listener has no port'));
      resolve(address.port);
    });
  });
}

function judge(result: SandboxResult): string | null {
  if (result.stoppedBy !== null) return `the probe was stopped: ${result.stoppedBy}`;
  const seen = /\{"read":\[(.*)\],"reached":(true|false),"started":([0-9]+)\}/.exec(result.stdout.toString('utf8'));
  if (seen === null) return firstLine(result.stderr) || `the probe ended with code ${result.exitCode}`;
  const [, read = '', reached, started] = seen;
  if (read !== '') return `files outside could be read: ${read}`;
  if (reached !== 'false') return 'a listener outside could be reached';
  if (Number(started) >= MAX_PROCESSES) return `${started} processes could be started`;
  return null;
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.slice(0, 200) ?? ''
  );
}
