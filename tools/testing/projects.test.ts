import { glob } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { expect, test } from 'vitest';
import { projects } from './projects.ts';

const root = join(import.meta.dirname, '../..');
const patterns = projects.map((project) => {
  const one = typeof project === 'object' && 'test' in project ? project.test : undefined;
  return { include: one?.include ?? [], exclude: one?.exclude ?? [] };
});

test('every test file belongs to one project', async () => {
  const files: string[] = [];
  for await (const file of glob('**/*.test.ts', { cwd: root, exclude: ['node_modules', '.weir', '**/node_modules'] })) files.push(file);
  const placesOf = (file: string): number =>
    patterns.filter(
      ({ include, exclude }) => include.some((one) => matchesGlob(file, one)) && !exclude.some((one) => matchesGlob(file, one)),
    ).length;
  expect(files.length).toBeGreaterThan(200);
  expect(files.filter((file) => placesOf(file) !== 1)).toEqual([]);
});
