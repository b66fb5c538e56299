import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { summaryLine } from './testing/summary.ts';
import { runVitest } from './testing/vitest.ts';

const testsTimeoutMs = 30 * 60_000;

/** `npm test [-- path…]`: brings the tools, runs unit tests and everything in tests/ but tests/load, and says the count in the last line. */
async function main(): Promise<void> {
  const tools = await setUp();
  if (tools !== 0) process.stderr.write('some tools are missing (said above): tests that need them will fail\n');
  const { summary } = await runVitest({ args: process.argv.slice(2), output: 'inherit', timeoutMs: testsTimeoutMs });
  process.exitCode = summary.failed === 0 ? 0 : 1;
  process.stdout.write(`${summaryLine(summary)}\n`);
}

/** The exit code of the set-up step. Its steps stand on stderr. */
async function setUp(): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'setup.ts')], { stdio: ['ignore', 'ignore', 'inherit'] });
  return await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code) => done(code ?? 1));
  });
}

await main();
