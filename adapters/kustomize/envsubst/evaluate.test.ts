import { describe, expect, test } from 'vitest';
import { evaluate, variablesOf } from './evaluate.ts';
import { SubstitutionError } from './parse.ts';

const values = new Map(Object.entries({ v: 'hello', u: 'äöü', e: '', p: 'a/b/c.tar.gz', n: '1' }));
const limits = { maxOutputBytes: 10_000 };
const run = (text: string): string => evaluate(text, values, limits);

describe('the table of libraries.md 15.5, row by row', () => {
  test.each([
    ['$v', '$v'],
    ['$${v}', '${v}'],
    ['$$v', '$v'],
    ['$$${v}', '$hello'],
    ['${m:-$$x}', '$$x'],
    ['${v:+alt}', 'hello'],
    ['${m:?text}', 'text'],
    ['${m:+alt}', 'alt'],
    ['${e:-def}', 'def'],
    ['${m=def}', 'def'],
    ['${m:=def}', 'def'],
    ['${m:-${k:-deep}}', 'deep'],
    ['${#u}', '6'],
    ['${#v}', '5'],
    ['${v:1}', 'ello'],
    ['${v:1:2}', 'el'],
    ['${u:0:2}', 'ä'],
    ['${v:9}', ''],
    ['${v:1:99}', 'ello'],
    ['${v:-1}', 'hello'],
    ['${v: 1}', 'hello'],
    ['${p/*/X}', 'a/b/c.tar.gz'],
    ['${p//\\//-}', 'a-b-c.tar.gz'],
    ['${p/b/X}', 'a/X/c.tar.gz'],
    ['${p#*/}', 'b/c.tar.gz'],
    ['${p##*/}', 'c.tar.gz'],
    ['${p%.*}', 'a/b/c.tar'],
    ['${p%%.*}', 'a/b/c'],
    ['${p%[a-c]}', 'a/b/c.tar.gz'],
    ['${p/%.gz/}', 'a/b/c.tar.gz'],
    ['${p/#a/}', 'a/b/c.tar.gz'],
    ['${p/%.gz/.xz}', 'a/b/c.tar.xz'],
    ['${p/#a/X}', 'X/b/c.tar.gz'],
    ['${p//.gz/}', 'a/b/c.tar'],
    ['${p/.gz/}', 'a/b/c.tar'],
    ['${v^}', 'Hello'],
    ['${v^^}', 'HELLO'],
    ['${u^^}', 'ÄÖÜ'],
    ['${v,}', 'hello'],
    ['${v,,}', 'hello'],
    ['a${v}b${n}c', 'ahellob1c'],
    ['', ''],
    ['{}', '{}'],
    ['100%', '100%'],
  ])('%s gives %s', (text, expected) => {
    expect(run(text)).toBe(expected);
  });

  test.each([
    ['${v-def}', 'v'],
    ['${v+alt}', 'v'],
    ['${v?x}', 'v'],
    ['${v', 'v'],
    ['${v:', 'v'],
    ['${v%', 'v'],
    ['${v:1:-1}', 'v'],
    ['${m}', 'm'],
    ['${#m}', 'm'],
    ['${m^^}', 'm'],
    ['${m/a/b}', 'm'],
    ['${m:1}', 'm'],
    ['${m%x}', 'm'],
    ['${1}', '1'],
    ['${é}', 'é'],
  ])('%s is an error that names the variable', (text, variable) => {
    try {
      run(text);
      expect.unreachable(text);
    } catch (error) {
      expect(error).toBeInstanceOf(SubstitutionError);
      expect(error).toMatchObject({ variable });
      expect(String(error)).not.toContain('hello');
    }
  });

  test.each(['${}', '${ v}', '${-v}', '${#}', '${$v}'])('%s is an error', (text) => {
    expect(() => run(text)).toThrow(SubstitutionError);
  });
});

test('a result that is not valid UTF-8 is an error; halves that come together again are none', () => {
  expect(() => run('${u:0:1}')).toThrow('not valid UTF-8');
  expect(run('${u:0:1}${u:1:1}')).toBe('ä');
});

test('values are never evaluated again', () => {
  expect(evaluate('${a}', new Map([['a', '${b} $${c}']]), limits)).toBe('${b} $${c}');
});

test('the result is limited before it is built, and patterns have a budget', () => {
  const long = new Map([['l', 'x'.repeat(5_000)]]);
  expect(() => evaluate('${l}${l}${l}', long, limits)).toThrow('larger than 10000 bytes');
  expect(() => evaluate(`\${l//x/${'y'.repeat(1_000)}}`, long, limits)).toThrow('larger than');
  expect(() => evaluate(`\${l///${'y'.repeat(1_000)}}`, long, limits)).toThrow();
  const startedMs = performance.now();
  expect(() => evaluate('${big#*a*a*a*a*b}', new Map([['big', 'a'.repeat(50_000)]]), limits)).toThrow('too much work');
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  expect(() => run('${m:-'.repeat(60) + '}'.repeat(60))).toThrow('nested deeper');
});

test('the names that a text reads, nested ones too', () => {
  expect([...variablesOf('$x $${no} ${a:-${b:-c}} ${#d} ${e/f/${g}}')].sort()).toEqual(['a', 'b', 'd', 'e', 'g']);
});
