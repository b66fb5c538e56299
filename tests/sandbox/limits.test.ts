import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cell } from './cell.ts';
import { openCell, strongModes } from './cell.ts';

describe.each([...strongModes, 'weak'] as const)('mode %s', (mode) => {
  let cell: Cell;
  beforeAll(async () => {
    cell = await openCell(mode);
  });
  afterAll(() => cell.close());

  test('ends by itself: code and both outputs come back', async () => {
    const result = await cell.script(`console.log('out'); console.error('err'); process.exitCode = 3;`);
    expect({ ...result, stdout: result.stdout.toString() }).toEqual({ exitCode: 3, stoppedBy: null, stdout: 'out\n', stderr: 'err\n' });
  });

  test('time: stopped at the limit', async () => {
    const result = await cell.script(`setInterval(() => 0, 1000);`, { limits: { timeoutMs: 700 } });
    expect(result.stoppedBy).toBe('timeout');
  });

  test('output: stopped at the limit, and never more than the limit is kept', async () => {
    const result = await cell.script(`const block = 'x'.repeat(65536); const more = () => process.stdout.write(block, more); more();`, {
      limits: { maxOutputBytes: 100_000 },
    });
    expect(result.stoppedBy).toBe('output');
    expect(result.stdout.byteLength).toBe(100_000);
  });

  test('processor time: ended by the kernel', async () => {
    const result = await cell.script(`for (;;) {}`, { limits: { maxCpuSeconds: 1, timeoutMs: 15_000 } });
    expect(result.stoppedBy).toBe(null);
    expect(result.exitCode).not.toBe(0);
  });

  test('one file: cannot grow over the limit', async () => {
    const program = (bytes: number): string =>
      `import { writeFileSync } from 'node:fs'; process.on('SIGXFSZ', () => 0); try { writeFileSync((process.env.TMPDIR ?? '/tmp') + '/big', Buffer.alloc(${bytes})); console.log('written'); } catch (error) { console.log(error.code); }`;
    const small = await cell.script(program(50_000), { limits: { maxFileBytes: 200_000 } });
    const big = await cell.script(program(500_000), { limits: { maxFileBytes: 200_000 } });
    expect(small.stdout.toString()).toBe('written\n');
    expect(big.stdout.toString()).not.toBe('written\n');
  });

  test('abort: ends at once with the reason of the signal', async () => {
    const abort = new AbortController();
    const running = cell.script(`setInterval(() => 0, 1000);`, { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stop it')), 300);
    await expect(running).rejects.toThrow('stop it');
  });
});

describe.each(strongModes)('mode %s', (mode) => {
  let cell: Cell;
  beforeAll(async () => {
    cell = await openCell(mode);
  });
  afterAll(() => cell.close());

  test('processes: a fork bomb meets its limit', async () => {
    const result = await cell.script(
      `import { spawn } from 'node:child_process';
       let started = 0;
       for (let count = 0; count < 500; count += 1) { const child = spawn('/tool/' + process.argv0.split('/').at(-1), ['-e', 'setTimeout(() => 0, 5000)'], { stdio: 'ignore' }); child.on('error', () => 0); if (child.pid === undefined) break; started += 1; }
       process.stdout.write(String(started), () => process.exit(0));`,
      { limits: { maxProcesses: 40 } },
    );
    const started = Number(result.stdout.toString());
    expect(started).toBeLessThan(mode === 'bwrap' ? 1 : 40);
  });

  test('no process is left after an abort, not even one that left its group', async () => {
    const abort = new AbortController();
    const mark = `mark-${mode}-${process.pid}`;
    const running = cell.script(
      `import { spawn } from 'node:child_process';
       try { spawn('/tool/node', ['-e', 'setTimeout(() => 0, 60000)', '${mark}'], { stdio: 'ignore', detached: true }).on('error', () => 0); } catch {}
       setInterval(() => 0, 1000);`,
      { signal: abort.signal },
    );
    setTimeout(() => abort.abort(new Error('stop it')), 600);
    await expect(running).rejects.toThrow('stop it');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await commandLinesWith(mark)).toEqual([]);
  });
});

async function commandLinesWith(mark: string): Promise<readonly string[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(mark));
}
