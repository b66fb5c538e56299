import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cell } from './cell.ts';
import { openCell, strongModes } from './cell.ts';

const run = promisify(execFile);

describe.each(strongModes)('mode %s', (mode) => {
  let cell: Cell;
  beforeAll(async () => {
    cell = await openCell(mode);
  });
  afterAll(() => cell.close());

  test('git works on the writable folder it was given', async () => {
    const mirror = join(cell.root, 'mirror');
    await mkdir(mirror, { recursive: true });
    const { command, env } = cell.sandbox.launcher({ readOnly: [], writable: [mirror] });
    const [program = '', ...prefix] = command;
    const { stdout } = await run(program, [...prefix, 'git', 'init', '--bare', '--quiet', join(mirror, 'm.git')], {
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', ...env },
    });
    expect(stdout).toBe('');
    expect((await run('git', ['-C', join(mirror, 'm.git'), 'rev-parse', '--is-bare-repository'])).stdout.trim()).toBe('true');
  });

  test.runIf(mode === 'bwrap')('what was not given is out of sight', async () => {
    await writeFile(join(cell.root, 'hidden'), 'x');
    const { command, env } = cell.sandbox.launcher({ readOnly: [], writable: [] });
    const [program = '', ...prefix] = command;
    await expect(run(program, [...prefix, 'cat', join(cell.root, 'hidden')], { env: { PATH: '/usr/bin:/bin', ...env } })).rejects.toThrow(
      'No such file',
    );
  });
});
