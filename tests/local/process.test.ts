import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { groupExists } from '#deploy/local/children.ts';
import { freePort } from '#deploy/local/ports.ts';
import { type ServerSpec, startProcess } from '#deploy/local/process.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren();
const dir = useTemporaryDir();

/** A Node program that does what `code` says, then says "up" in its log. */
function server(code: string, overrides: Partial<ServerSpec> = {}): ServerSpec {
  const logFile = overrides.logFile ?? join(dir(), 'log');
  return {
    name: 'sample',
    command: process.execPath,
    args: ['-e', `${code}; console.log('up')`],
    env: { COLOUR: 'red' },
    cwd: dir(),
    logFile,
    ready: async () => (await readFile(logFile, 'utf8')).includes('up'),
    readyTimeoutMs: 10_000,
    ...overrides,
  };
}

async function isGoneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = AbortSignal.timeout(timeoutMs);
  while (groupExists(pid)) {
    if (deadline.aborted) return false;
    await sleep(20);
  }
  return true;
}

test('a process sees only the environment it is given, and its log is for us alone', async () => {
  await using running = await startProcess(children, server('console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)'));
  expect(children.live()).toEqual([{ name: 'sample', pid: running.pid, lastSignal: 'SIGKILL' }]);
  const log = await readFile(join(dir(), 'log'), 'utf8');
  expect(JSON.parse(log.split('\n')[0] ?? '')).toEqual({ COLOUR: 'red' });
  expect((await stat(join(dir(), 'log'))).mode & 0o777).toBe(0o600);
});

test('stop ends one that ignores the signal, and what it has started', async () => {
  const code = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`;
  const running = await startProcess(children, server(code));
  expect(await running.stop('SIGTERM', 200)).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await isGoneWithin(running.pid, 2_000)).toBe(true);
  expect(await running.stop()).toEqual({ code: null, signal: 'SIGKILL' });
});

test('one that is never ready is ended, and one that ends early is quoted', async () => {
  const never = server('setInterval(() => {}, 1000);', { ready: async () => false, readyTimeoutMs: 300 });
  await expect(startProcess(children, never)).rejects.toThrow(/sample was not ready after 300 ms; the end of .*log:\n {2}up/);
  const early = server(`console.error('no such disk'); process.exit(3);`, { ready: async () => false });
  await expect(startProcess(children, early)).rejects.toThrow(/sample ended before it was ready \(exit code 3\); .*\n {2}no such disk$/s);
  const absent = server('', { command: join(dir(), 'nothing'), logFile: join(dir(), 'other') });
  await expect(startProcess(children, absent)).rejects.toThrow(/sample .*nothing.*/s);
  expect(children.live()).toEqual([]);
});

test.each(['SIGKILL', 'SIGTERM', 'exit'] as const)('nothing is left when the program that started it ends by %s', async (end) => {
  const parts = JSON.stringify([import.meta.resolve('#deploy/local/children.ts'), import.meta.resolve('#deploy/local/process.ts')]);
  const code = `
    const [c, p] = ${parts};
    const { openChildren } = await import(c); const { startProcess } = await import(p);
    const running = await startProcess(openChildren(), { name: 'x', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'],
      env: {}, cwd: '/', logFile: ${JSON.stringify(join(dir(), 'child.log'))}, ready: async () => true, readyTimeoutMs: 1000 });
    console.log(running.pid);
    if (${end === 'exit'}) process.exit(1);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(String(line));
  expect(pid).toBeGreaterThan(1);
  if (end !== 'exit') parent.kill(end);
  expect(await isGoneWithin(pid, 3_000)).toBe(true);
});

test('free ports differ', async () => {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  expect(new Set(ports).size).toBe(3);
});
