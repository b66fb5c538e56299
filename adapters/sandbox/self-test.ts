import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mount, SandboxLimits, SandboxResult, SandboxRun } from './types.ts';

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
  const libraries = await ownLibraries();
  const folders = new Set(libraries.map(({ to }) => dirname(to)));
  return {
    command: process.execPath,
    args: ['--no-warnings', '/probe/probe.mts', canary, String(port), String(TRIES), `/tool/${process.execPath.split('/').at(-1) ?? 'node'}`],
    cwd: '/probe',
    readOnly: [{ from: fileURLToPath(new URL('probe.mts', import.meta.url)), to: '/probe/probe.mts' }, ...libraries],
    env: { LD_LIBRARY_PATH: [...folders].join(':') },
    limits: LIMITS,
  };
}

/** Shared libraries of this very process and its loader, so that Node can start where nothing else is. */
async function ownLibraries(): Promise<readonly Mount[]> {
  const maps = await readFile('/proc/self/maps', 'utf8');
  const paths = new Set<string>();
  for (const line of maps.split('\n')) {
    const path = /\s(\/\S+\.so(?:\.[0-9.]+)?)$/.exec(line)?.[1];
    if (path !== undefined) paths.add(path);
  }
  const mounts = [...paths].flatMap((path) => namesOf(path).map((to) => ({ from: path, to })));
  const loader = await loaderOf(process.execPath);
  if (loader !== null && !paths.has(loader)) mounts.push({ from: loader, to: loader });
  return mounts;
}

/** `libx.so.6.0.30` is looked up as `libx.so.6`. */
function namesOf(path: string): readonly string[] {
  const short = /^(.*\.so\.[0-9]+)\.[0-9.]+$/.exec(path)?.[1];
  return short === undefined ? [path] : [path, short];
}

/** The path of the dynamic loader that an ELF program names: it is text that ends in a zero byte, near the start of the file. */
async function loaderOf(program: string): Promise<string | null> {
  const file = await open(program, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8192), 0, 8192, 0);
    return /(\/lib[\w./-]*\/ld-[\w.-]+)\0/.exec(buffer.subarray(0, bytesRead).toString('latin1'))?.[1] ?? null;
  } finally {
    await file.close();
  }
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
  return text.split('\n').find((line) => line.trim() !== '')?.slice(0, 200) ?? '';
}
