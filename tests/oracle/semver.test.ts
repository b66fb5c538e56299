import { join } from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { isInRange, parseRange } from '#core/semver/range.ts';
import { compareVersions, parseVersion } from '#core/semver/version.ts';
import { createDice, openGoOracle } from './go-oracle.ts';

const Answer = Type.Object({ rows: Type.Array(Type.Union([Type.Null(), Type.String()])), order: Type.Array(Type.String()) });

test('random ranges and versions are answered as Masterminds answers them', async () => {
  const seed = Date.now();
  console.info(`seed ${seed}`);
  const { roll, pick } = createDice(seed);
  const number = (): string => pick(['0', '1', '2', '3', '10', '01', '20240102']);
  const pre = (): string => (roll(3) === 0 ? `-${pick(['0', 'rc.1', 'alpha', 'beta.2', 'beta.10', '01', 'a-b', 'x.7.z', '1a'])}` : '');
  const build = (): string => (roll(6) === 0 ? `+${pick(['a', 'b.1', '001'])}` : '');
  const version = (): string =>
    `${pick(['', '', 'v'])}${[number, number, number]
      .slice(0, 1 + roll(3))
      .map((make) => make())
      .join('.')}${pre()}${build()}`;
  const part = (): string => (roll(5) === 0 ? pick(['x', 'X', '*']) : number());
  const limit = (): string =>
    `${pick(['', '', 'v'])}${[part, part, part]
      .slice(0, 1 + roll(3))
      .map((make) => make())
      .join('.')}${pre()}${build()}`;
  const constraint = (): string =>
    `${pick(['', '', '=', '!=', '>', '<', '>=', '=>', '<=', '=<', '~', '~>', '^', '^', '=='])}${pick(['', '', ' ', '  '])}${limit()}`;
  const range = (): string =>
    Array.from({ length: 1 + roll(3) }, () => (roll(8) === 0 ? `${limit()} - ${limit()}` : constraint())).join(
      pick([' ', ', ', ',', ' , ', ' || ', '||', '  ', ';', ',,', '\t', '\u00a0']),
    );
  const input = { ranges: Array.from({ length: 300 }, range), versions: Array.from({ length: 60 }, version) };
  const oracle = await openGoOracle(join(import.meta.dirname, 'semver'));
  try {
    const answer = Value.Parse(Answer, JSON.parse(await oracle.ask(input)));
    const versions = input.versions.map(parseVersion);
    const rows = input.ranges.map((text) => {
      const parsed = parseRange(text);
      return parsed === null ? null : versions.map((one) => (one === null ? 'x' : isInRange(parsed, one) ? '1' : '0')).join('');
    });
    const differences = input.ranges.filter((_text, index) => rows[index] !== answer.rows[index]);
    expect(differences).toEqual([]);
    const order = versions.map((left) =>
      versions.map((right) => (left === null || right === null ? 'x' : '<=>'.charAt(compareVersions(left, right) + 1))).join(''),
    );
    expect(order).toEqual(answer.order);
    expect(rows.filter((row) => row?.includes('1')).length).toBeGreaterThan(30);
  } finally {
    await oracle.close();
  }
});
