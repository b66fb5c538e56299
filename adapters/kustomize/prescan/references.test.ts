import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { scanFields } from './fields.ts';
import { remoteReason, resolveReference } from './references.ts';

describe('local paths', () => {
  test.each([
    ['', 'a.yaml', 'a.yaml'],
    ['x/y', '../base', 'x/base'],
    ['x', './b//../c'.replace('//', '/'), 'x/c'],
    ['x', '..', ''],
    ['', './deep/a.b.c/k.yaml', 'deep/a.b.c/k.yaml'],
    ['x', 'v1.2/base', 'x/v1.2/base'],
    ['x', 'conf.d/base/', 'x/conf.d/base'],
    ['x', 'with space', 'x/with space'],
    ['x', 'a@b', 'x/a@b'],
  ])('in %j %j is %j', (folder, text, expected) => {
    expect(resolveReference(folder, 'k', 'f', text)).toBe(expected);
  });
});

test.each(['..', '../..', 'a/../..', '/a', '//a', '~/a', '', 'a\\b', 'a\nb', 'a\0b', '/proc/self/environ'])('refused: %j', (text) => {
  expect(() => resolveReference('', 'k', 'f', text)).toThrow();
});

test('every path that is not refused stays inside', () => {
  const part = fc.constantFrom('..', '.', '', 'a', 'b.yaml', '...', 'a..b', ' ');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(fc.constantFrom('x', 'y'), { maxLength: 4 }), (parts, folder) => {
      try {
        const resolved = resolveReference(folder.join('/'), 'k', 'f', parts.join('/'));
        expect(resolved.split('/')).not.toContain('..');
        expect(resolved.startsWith('/')).toBe(false);
      } catch (error) {
        expect(String(error)).toMatch(/leaves the source|absolute|no path|remote/);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('no known field lets a remote form through (property over fields and forms)', () => {
  const host = fc.constantFrom('github.com', 'example.org', 'gitlab.example.co', '127.0.0.1:3000');
  const form = fc
    .tuple(
      host,
      fc.constantFrom(
        'https://H/o/r',
        'http://H/o/r//b?ref=--x',
        'git@H:o/r',
        'ssh://git@H/o/r.git',
        'git::https://H/r',
        'H/o/r.git',
        'H/o/r//b',
        'H/o/r?ref=v1',
        'user:pw@H/r?x',
        'file://H/r',
        'HTTP://H/r',
        'hg::H/r?timeout=1',
      ),
    )
    .map(([name, text]) => text.replace('H', name));
  const fields: readonly ((reference: string) => object)[] = [
    (reference) => ({ resources: [reference] }),
    (reference) => ({ bases: [reference] }),
    (reference) => ({ components: [reference] }),
    (reference) => ({ crds: [reference] }),
    (reference) => ({ configurations: [reference] }),
    (reference) => ({ openapi: { path: reference } }),
    (reference) => ({ generators: [reference] }),
    (reference) => ({ transformers: [reference] }),
    (reference) => ({ validators: [reference] }),
    (reference) => ({ patches: [{ path: reference }] }),
    (reference) => ({ patchesStrategicMerge: [reference] }),
    (reference) => ({ patchesJson6902: [{ path: reference }] }),
    (reference) => ({ replacements: [{ path: reference }] }),
    (reference) => ({ configMapGenerator: [{ files: [reference] }] }),
    (reference) => ({ configMapGenerator: [{ files: [`k=${reference}`] }] }),
    (reference) => ({ secretGenerator: [{ envs: [reference] }] }),
    (reference) => ({ secretGenerator: [{ env: reference }] }),
  ];
  fc.assert(
    fc.property(form, fc.constantFrom(...fields), (reference, write) => {
      const { references, inlines } = scanFields(JSON.parse(JSON.stringify(write(reference))), 'k');
      expect(inlines).toEqual([]);
      expect(references).toHaveLength(1);
      for (const one of references) expect(() => resolveReference('', 'k', one.field, one.text)).toThrow(/remote reference/);
    }),
    { numRuns: 3_000 },
  );
});

test('remote or not', () => {
  expect(remoteReason('base/overlay')).toBe(null);
  expect(remoteReason('example.com/org/repo')).not.toBe(null);
});
