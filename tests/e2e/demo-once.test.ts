import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { inheritedEnvironment } from '#deploy/demo/plane-process.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../../deploy/demo/main.ts', import.meta.url));
const dir = useTemporaryDir();

/** Command lines that name the folder: everything the demo starts has its files below it. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((one) => /^[0-9]+$/.test(one))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(folder)) found.push(`${pid} ${command.replaceAll('\0', ' ').slice(0, 200)}`);
  }
  return found;
}

test('npm run demo -- --once --json shows every step, prints measured values and leaves no process behind', async () => {
  const root = join(dir(), 'demo');
  const { stdout } = await run(process.execPath, [PROGRAM, '--once', '--json', '--dir', root], {
    env: inheritedEnvironment(),
    timeout: 240_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  const last: unknown = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ ok: true, clusters: 2, tenants: 2, deliveries: 5 });
  const numbers = last as Record<string, number>;
  for (const name of ['objects', 'firstSyncMs', 'pushToAppliedMs', 'driftHealMs', 'pruneMs'])
    expect(numbers[name], name).toBeGreaterThan(0);
  expect((last as { helm: unknown }).helm).toMatchObject({ installed: 2, upgraded: 2, rolledBack: 2, driftHealMs: expect.any(Number) });
  expect((last as { image: unknown }).image).toMatchObject({ tagToCommitMs: expect.any(Number), tagToAppliedMs: expect.any(Number) });
  expect((last as { refusals: unknown[] }).refusals).toHaveLength(5);
  expect(await processesOf(root)).toEqual([]);
}, 300_000);
