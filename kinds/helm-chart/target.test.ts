import { expect, test } from 'vitest';
import { findVersion, versionMetadata } from './target.ts';

const at = (version: string, createdAtMs = 0) => ({ version, url: `https://charts.test/${version}.tgz`, digest: '', createdAtMs });
const versions = ['2.0.0-rc.1', '1.10.0', '1.9.0', '1.2.3+b2', '1.2.3', '0.9.0', 'not-a-version', '3.0', 'v1.1.0'].map((one) => at(one));

test.each([
  [undefined, '1.10.0'],
  ['', '1.10.0'],
  ['*', '1.10.0'],
  ['>=0.0.0-0', '2.0.0-rc.1'],
  ['2.0.0-rc.1', '2.0.0-rc.1'],
  ['1.9.x', '1.9.0'],
  ['>=1.2, <1.9', '1.2.3+b2'],
  ['<1 || 1.9.0', '1.9.0'],
  ['1.2.3+b2', '1.2.3+b2'],
  ['1.2.3', '1.2.3'],
  ['1.1.0', 'v1.1.0'],
  ['v1.1.0', 'v1.1.0'],
  ['^0.9', '0.9.0'],
])('range %j means %s', (asked, wanted) => {
  expect(findVersion('app', asked, versions)).toMatchObject({ is: 'target', version: { version: wanted } });
});

test('of equal versions the younger, whatever their order', () => {
  const [older, younger] = [at('1.0.0+a', 1_000), at('1.0.0+b', 2_000)];
  for (const list of [
    [older, younger],
    [younger, older],
  ])
    expect(findVersion('app', '1.x', list)).toMatchObject({ version: younger });
});

test.each([
  ['>=9', versions, /no version of chart "app" matches ">=9"/],
  ['1.2.x || not-a-version', versions, /no range/],
  ['^^1', versions, /no range/],
  ['*', [], /the repository has no chart "app"/],
  ['2.x', versions, /matches/],
] as const)('%j of %o is missing', (asked, list, message) => {
  expect(findVersion('app', asked, list)).toMatchObject({ is: 'missing', message: expect.stringMatching(message) });
});

test.each([
  ['ChartVersion', false, false, null],
  ['ChartVersion', true, false, '7'],
  ['Revision', false, false, '0123456789ab'],
  ['Revision', true, false, '0123456789ab.7'],
  ['Revision', false, true, null],
  ['Revision', true, true, '7'],
] as const)('strategy %s, values files %s, repository %s: %s', (strategy, hasValuesFiles, isRepository, wanted) => {
  const settings = { strategy, hasValuesFiles, isRepository };
  expect(versionMetadata(settings, 'main@sha1:0123456789abcdef', 7)).toBe(wanted);
  expect(versionMetadata(settings, 'sha256:0123456789abcdef', 7)).toBe(wanted);
});
