import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compileCache } from '../../bin/pinned-node.js';
import { type Summary, summarize } from './summary.ts';

const root = resolve(import.meta.dirname, '../..');

export type VitestRun = Readonly<{ args: readonly string[]; output: 'inherit' | 'collect'; timeoutMs: number }>;
export type VitestResult = Readonly<{ summary: Summary; output: string }>;

/** Runs vitest with this very Node and counts its JSON report. Never throws for failing tests; a run over its time is ended and has failed. */
export async function runVitest({ args, output, timeoutMs }: VitestRun): Promise<VitestResult> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-vitest-'));
  const report = join(folder, 'report.json');
  try {
    const program = join(root, 'node_modules/vitest/vitest.mjs');
    const all = [program, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args];
    const isTerminal = output === 'inherit' && process.stdout.isTTY;
    const { FORCE_COLOR: _forced, ...plain } = process.env;
    // Hundreds of Node processes start within a run.
    const cache = { NODE_COMPILE_CACHE: compileCache };
    const env = isTerminal ? { ...cache, ...process.env } : { ...cache, ...plain, NO_COLOR: '1' };
    const child = spawn(process.execPath, all, { cwd: root, env, stdio: output === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    const collected: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (piece: string) => collected.push(piece));
    const timer = setTimeout(() => {
      process.stderr.write(`vitest was ended after ${timeoutMs} ms\n`);
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 30_000).unref();
    }, timeoutMs);
    const exitCode = await new Promise<number>((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code ?? 1));
    });
    clearTimeout(timer);
    const text = await readFile(report, 'utf8').catch(() => undefined);
    return { summary: summarize(text, exitCode), output: collected.join('') };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
