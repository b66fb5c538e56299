import { join } from 'node:path';
import Type from 'typebox';
import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { createIgnoreFilter, parseIgnoreRules } from '#core/ignore-rules.ts';
import { createDice, openGoOracle } from './go-oracle.ts';

const NAMES = ['a', 'b', 'ab', 'a.yaml', 'b.png', '.git', '.gitignore', 'x y', '*', 'dir', '.github', '.sops.yaml', 'é', ']'];
const PIECES = [
  'a',
  'b',
  '*',
  '**',
  'a*',
  '?',
  '[ab]',
  '[^a]',
  '[a-c]*',
  '*.yaml',
  'dir',
  '',
  'ab',
  'a**',
  '[',
  '[]a]',
  '\\*',
  '\\',
  'x y',
  '.git',
  'é',
  '*b*',
];

test('random rules and paths are answered as Flux answers them', async () => {
  const seed = Date.now();
  console.info(`seed ${seed}`);
  const { roll, pick } = createDice(seed);
  const line = (): string =>
    `${roll(3) === 0 ? '!' : ''}${roll(3) === 0 ? '/' : ''}${Array.from({ length: 1 + roll(3) }, () => pick(PIECES)).join('/')}${roll(4) === 0 ? '/' : ''}${roll(8) === 0 ? ' ' : ''}`;
  const cases = Array.from({ length: 20_000 }, () => ({
    rules: Array.from({ length: roll(4) }, () => (roll(12) === 0 ? '# comment' : line())).join(roll(9) === 0 ? '\r\n' : '\n'),
    domain: roll(3) === 0 ? [pick(NAMES)] : [],
    path: Array.from({ length: 1 + roll(4) }, () => pick(NAMES)),
    dir: roll(2) === 0,
  }));
  const oracle = await openGoOracle(join(import.meta.dirname, 'sourceignore'));
  try {
    const answers = Value.Parse(Type.Array(Type.Boolean()), JSON.parse(await oracle.ask(cases)));
    const different = cases.filter(
      ({ rules, domain, path, dir }, index) => createIgnoreFilter(parseIgnoreRules(rules, domain))(path, dir) !== answers[index],
    );
    expect(different).toEqual([]);
    expect(answers.filter(Boolean).length).toBeGreaterThan(1_000);
  } finally {
    await oracle.close();
  }
});
