import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type Lock, missingOptionals, parseLock, platformEntry } from './lockfile/lock.ts';

const root = join(import.meta.dirname, '..');
let text = '';
let lock: Lock = { lockfileVersion: 3, packages: {} };
beforeAll(async () => {
  text = await readFile(join(root, 'package-lock.json'), 'utf8');
  lock = parseLock(text);
});

test('every optional dependency has an entry, else npm ci fails on every machine', () => {
  expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
  expect(missingOptionals(lock)).toEqual([]);
});

test('the lock file names no address and every package has its checksum', () => {
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
  expect(packages.filter(([, one]) => one.resolved !== undefined).map(([path]) => path)).toEqual([]);
  expect(packages.filter(([, one]) => one.integrity === undefined && !(one.optional === true && one.os)).map(([path]) => path)).toEqual([]);
  expect(text).not.toMatch(/https?:\/\/registry\./);
});

test.each(['ioredis', 'undici', 'ajv', 'typebox'])('%s is there once', (name) => {
  expect(Object.keys(lock.packages).filter((path) => path.endsWith(`node_modules/${name}`))).toEqual([`node_modules/${name}`]);
});

test('all versions of package.json are exact', async () => {
  const manifest: Record<string, Record<string, string>> = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const groups = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) => Object.entries(manifest[group] ?? {}));
  expect(groups.length).toBeGreaterThan(20);
  expect(groups.filter(([, version]) => !/^\d+\.\d+\.\d+[\w.-]*$/.test(version))).toEqual([]);
});

test('every direct dependency has its line in docs/dependencies.md', async () => {
  const manifest: Record<string, Record<string, string>> = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const names = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) => Object.keys(manifest[group] ?? {}));
  const page = await readFile(join(root, 'docs/dependencies.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name);
  expect(listed.toSorted()).toEqual(names.toSorted());
});

test('an entry that npm left out is found and can be written', () => {
  const damaged: Lock = {
    lockfileVersion: 3,
    packages: {
      '': {},
      'node_modules/a': {
        version: '1.0.0',
        dev: true,
        optionalDependencies: { '@a/linux-arm64-musl': '1.0.0', '@a/darwin-x64': '1.0.0', helper: '2.0.0' },
      },
      'node_modules/@a/darwin-x64': { version: '1.0.0' },
      'node_modules/a/node_modules/helper': { version: '2.0.0' },
    },
  };
  const [one, ...more] = missingOptionals(damaged);
  expect(more).toEqual([]);
  expect(one).toEqual({ of: 'node_modules/a', name: '@a/linux-arm64-musl', version: '1.0.0', dev: true });
  expect(one && platformEntry(one)).toEqual({ version: '1.0.0', cpu: ['arm64'], dev: true, optional: true, os: ['linux'] });
  expect(platformEntry({ of: '', name: 'fsevents', version: '~2.3.3', dev: false })).toBeUndefined();
});
