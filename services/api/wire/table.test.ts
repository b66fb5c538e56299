import { describe, expect, it } from 'vitest';
import { fillTemplate, findAll } from './json-path.ts';
import { shortAge } from './table.ts';

describe('ages, as kubectl writes them', () => {
  const second = 1_000;
  const minute = 60 * second;
  const hour = 60 * minute;
  const day = 24 * hour;
  it.each([
    [0, '0s'],
    [-500, '0s'],
    [-3 * second, '<invalid>'],
    [119 * second, '119s'],
    [120 * second, '2m'],
    [7 * minute + 36 * second, '7m36s'],
    [10 * minute + 5 * second, '10m'],
    [179 * minute, '179m'],
    [180 * minute, '3h'],
    [7 * hour + 30 * minute, '7h30m'],
    [8 * hour + 30 * minute, '8h'],
    [47 * hour, '47h'],
    [48 * hour, '2d'],
    [3 * day + 5 * hour, '3d5h'],
    [8 * day + 5 * hour, '8d'],
    [729 * day, '729d'],
    [800 * day, '2y70d'],
    [9 * 365 * day, '9y'],
  ])('%i ms is %s', (ms, text) => {
    expect(shortAge(ms)).toBe(text);
  });
});

describe('paths of printer columns', () => {
  const value = {
    status: {
      conditions: [
        { type: 'Stalled', status: 'True' },
        { type: 'Ready', status: 'False', message: 'no' },
      ],
    },
    spec: { list: [{ n: 1 }, { n: 2 }], 'a.b': 'c' },
    kind: 'K',
  };
  it.each([
    ['.status.conditions[?(@.type=="Ready")].message', ['no']],
    ['.status.conditions[?(@.type=="Other")].message', []],
    ['.spec.list[*].n', [1, 2]],
    ['.spec.list[1].n', [2]],
    ['.spec.list[-1].n', [2]],
    ['.spec.a\\.b', ['c']],
    [".spec['a.b']", ['c']],
    ['.missing.deep', []],
    ['.toString', []],
  ])('%s', (path, found) => {
    expect(findAll(value, path)).toEqual(found);
  });

  it('fills templates, and says when nothing was there', () => {
    expect(fillTemplate(value, '{.kind}/{.spec.list[0].n}')).toBe('K/1');
    expect(fillTemplate(value, '{.a}/{.b}')).toBeNull();
  });
});
