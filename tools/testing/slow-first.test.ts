import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { slowFiles, startPlace } from './slow-first.ts';

const root = resolve(import.meta.dirname, '../..');

it('every file that starts first is there', () => {
  expect(slowFiles.filter((one) => !existsSync(join(root, one)))).toEqual([]);
  expect(new Set(slowFiles).size).toBe(slowFiles.length);
});

it('listed files start in their order, the rest after them in its own', () => {
  const [first = '', second = ''] = slowFiles;
  const given = ['core/a.test.ts', second, 'core/b.test.ts', first];
  expect(given.toSorted((a, b) => startPlace(a) - startPlace(b))).toEqual([first, second, 'core/a.test.ts', 'core/b.test.ts']);
});
