import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Children, openChildren } from '#deploy/local/children.ts';

export type Scope = 'test' | 'file';

/** A fresh folder for each test, or one for the whole file; removed afterwards. Call at the top of a file; the result gives its path. */
export function useTemporaryDir(scope: Scope = 'test'): () => string {
  const holder = { path: '' };
  const make = async (): Promise<void> => {
    holder.path = await realpath(await mkdtemp(join(tmpdir(), 'weir-test-')));
  };
  const remove = async (): Promise<void> => rm(holder.path, { recursive: true, force: true, maxRetries: 5 });
  if (scope === 'test') {
    beforeEach(make);
    afterEach(remove);
  } else {
    beforeAll(make);
    afterAll(remove);
  }
  return () => holder.path;
}

/**
 * The record of processes that this file's tests start. Fails the test (or, with scope `file`, the file) that leaves one running,
 * and ends what it left. Call at the top of a file, before hooks that stop processes are registered: hooks run last first.
 */
export function useChildren(scope: Scope = 'test'): Children {
  const children = openChildren();
  const check = (): void => {
    const left = children.live().map((child) => child.name);
    children.killAll();
    expect(left, 'processes left running').toEqual([]);
  };
  if (scope === 'test') afterEach(check);
  else afterAll(check);
  afterAll(() => children.close());
  return children;
}
