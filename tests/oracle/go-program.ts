import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const BUILD_TIMEOUT_MS = 180_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export type GoProgram = Readonly<{ ask(input: unknown): Promise<unknown>; close(): Promise<void> }>;

/** Builds a pinned Go program of this folder, or null where Go is not installed: the committed corpus is then all there is. */
export async function goProgram(folder: string): Promise<GoProgram | null> {
  if (!(await hasGo())) return null;
  const place = await mkdtemp(join(tmpdir(), 'weir-oracle-'));
  const binary = join(place, 'oracle');
  await run('go', ['build', '-o', binary, '.'], {
    cwd: join(import.meta.dirname, folder),
    timeout: BUILD_TIMEOUT_MS,
    env: { ...process.env, GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' },
  });
  return { ask: (input) => ask(binary, JSON.stringify(input)), close: () => rm(place, { recursive: true, force: true }) };
}

async function hasGo(): Promise<boolean> {
  try {
    await run('go', ['version'], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

function ask(binary: string, input: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'inherit'], timeout: BUILD_TIMEOUT_MS });
    const chunks: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) child.kill('SIGKILL');
      chunks.push(chunk);
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(Buffer.concat(chunks).toString('utf8'))) : reject(new Error(`the oracle ended with code ${code}`)),
    );
    child.stdin.end(input);
  });
}

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
