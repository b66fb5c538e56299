import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Go program of tests/oracle, built once: what it answers is what Flux would do. */
export type GoOracle = Readonly<{ ask(input: unknown): Promise<string>; close(): Promise<void> }>;

/** Builds the program in `folder` (its modules are pinned there). Needs the Go tool chain, and the modules from the proxy on a first run. */
export async function openGoOracle(folder: string): Promise<GoOracle> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-oracle-'));
  const program = join(directory, 'oracle');
  await run('go', ['build', '-mod=readonly', '-o', program, '.'], { cwd: folder, timeout: 200_000 });
  return {
    async ask(input) {
      const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.end(JSON.stringify(input));
      return text(child.stdout);
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

/** Random choices that a printed seed repeats. */
export function createDice(seed: number): Readonly<{ roll(sides: number): number; pick(list: readonly string[]): string }> {
  let state = seed % 2_147_483_648;
  const roll = (sides: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(state / 65_536) % sides;
  };
  return { roll, pick: (list) => list[roll(list.length)] ?? '' };
}
