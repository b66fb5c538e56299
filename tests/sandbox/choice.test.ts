import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSandbox } from '#adapters/sandbox/sandbox.ts';
import type { Launch } from '#adapters/sandbox/types.ts';
import { AppError } from '#core/errors.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { never } from './cell.ts';

let root: string;
let bwrap: Launch | null;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-choice-'));
  bwrap = (await loadToolPaths({ only: ['bwrap'] })).bwrap;
});
afterAll(() => rm(root, { recursive: true, force: true }));

function create(mode: 'auto' | 'bwrap' | 'unshare' | 'weak', launch: Launch | null): ReturnType<typeof createSandbox> {
  return createSandbox({ mode, bwrap: launch, workDir: join(root, 'work'), signal: never });
}

/** A stand-in that starts the program without isolating it: the last argument list after `--`, as a broken container engine would. */
const isolatesNothing: Launch = {
  command: [process.execPath, '--no-warnings', join(import.meta.dirname, 'isolates-nothing.mts')],
  env: {},
};

test('auto takes bubblewrap when it works and unshare without it', async () => {
  expect((await create('auto', bwrap)).mode).toBe('bwrap');
  expect((await create('auto', null)).mode).toBe('unshare');
});

test('a bubblewrap that does not isolate is found out by the self-test and not used', async () => {
  const refusal: unknown = await create('bwrap', isolatesNothing).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(AppError);
  expect(refusal).toMatchObject({ code: 'sandboxUnavailable', message: expect.stringMatching(/could be (read|reached)/) });
  expect((await create('auto', isolatesNothing)).mode).toBe('unshare');
});

test('without a mode that isolates: one sentence with the switch, and never weak by itself', async () => {
  const refusal: unknown = await create('bwrap', { command: ['/nonexistent/bwrap'], env: {} }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'sandboxUnavailable', message: expect.stringMatching(/WEIR_SANDBOX=weak/) });
  expect(String(refusal)).not.toContain('\n');
});

test('weak says what it is', async () => {
  const weak = await create('weak', null);
  expect([weak.mode, weak.describe()]).toEqual(['weak', expect.stringMatching(/WEIR_SANDBOX=weak.*stay in reach/)]);
});
