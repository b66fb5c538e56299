import { describe, expect, test } from 'vitest';
import { readYaml, YamlError } from './yaml.ts';

const options = { maxBytes: 1_000_000, uniqueKeys: false } as const;
const one = (text: string): unknown => readYaml(text, options)[0];

describe('plain scalars are what Go sees (libraries.md 15.2)', () => {
  test.each<[string, unknown]>([
    ['.', '.'],
    ['-.', '-.'],
    ['e1', 'e1'],
    ['e1234567', 'e1234567'],
    ['1:30', '1:30'],
    ['2001-12-14', '2001-12-14'],
    ['2001-12-14T21:59:43Z', '2001-12-14T21:59:43Z'],
    ['0o17', 15],
    ['-0o17', -15],
    ['0644', 420],
    ['08', 8],
    ['0b101', 5],
    ['-0b11', -3],
    ['0x1F', 31],
    ['1e400', '1e400'],
    ['0x10000000000000000', '0x10000000000000000'],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['1_000', 1000],
    ['+12', 12],
    ['1.10', 1.1],
    ['.5', 0.5],
    ['+.5', 0.5],
    ['1e3', 1000],
    ['1.', 1],
    ['-0', 0],
    ['yes', true],
    ['no', false],
    ['on', true],
    ['off', false],
    ['y', true],
    ['n', false],
    ['True', true],
    ['NO', false],
    ['~', null],
    ['null', null],
    ['', null],
    ['Null', null],
    ['"1.10"', '1.10'],
    ["'yes'", 'yes'],
    ['!!str 5', '5'],
    ['a b', 'a b'],
    ['0x', '0x'],
    ['_1', '_1'],
    ['1__', 1],
    ['<<', '<<'],
    ['=', '='],
  ])('%s', (text, expected) => {
    expect(one(`a: ${text}`)).toEqual({ a: expected });
  });

  test('keys become text', () => {
    expect(one('yes: 1\n2: 3\n1.50: x\n0x10: z\n')).toEqual({ true: 1, 2: 3, '1.5': 'x', 16: 'z' });
  });

  test.each(['.inf', '-.Inf', '.NAN'])('%s is an error', (text) => {
    expect(() => one(`a: ${text}`)).toThrow(YamlError);
  });
});

test('documents of a stream, empty ones as null; none in an empty text', () => {
  expect(readYaml('---\na: 1\n---\n---\nb: 2\n...\n', options)).toEqual([{ a: 1 }, null, { b: 2 }]);
  expect(readYaml('# only a comment\n', options)).toEqual([]);
});

test('anchors, aliases and merges: the later wins, of several sources of one merge the first', () => {
  expect(one('x: &x {a: 1, b: 1}\nq: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}\nw: *x\n')).toEqual({
    x: { a: 1, b: 1 },
    q: { b: 2, c: 2 },
    z: { a: 1, b: 1, c: 3 },
    w: { a: 1, b: 1 },
  });
});

test('a key that stands twice is refused only when asked', () => {
  expect(one('a: 1\na: 2\n')).toEqual({ a: 2 });
  expect(() => readYaml('a: 1\na: 2\n', { ...options, uniqueKeys: true })).toThrow('line 2: duplicate key');
});

test('mistakes name the line and never quote the text', () => {
  for (const text of [
    'a: secret\n b: secret\n',
    'a: [secret',
    'a: "secret',
    'a: *secret',
    '? {secret: 1}\n: 2',
    'secret: &x [*x]',
    '\tsecret: 1',
  ]) {
    try {
      readYaml(text, options);
      expect.unreachable(text);
    } catch (error) {
      expect(error).toBeInstanceOf(YamlError);
      expect(String(error)).not.toContain('secret');
    }
  }
});

test('limits: size, depth, aliases, and the key __proto__', () => {
  expect(() => readYaml('a: 12345', { ...options, maxBytes: 5 })).toThrow('the limit is 5');
  expect(() => one(`a: ${'['.repeat(300)}${']'.repeat(300)}`)).toThrow(YamlError);
  expect(one(`a: ${'['.repeat(50)}${']'.repeat(50)}`)).toBeDefined();
  expect(() => one('__proto__: {a: 1}')).toThrow('__proto__');
  expect(() => one('a: &a {"__proto__": {x: 1}}\nb: {<<: *a}')).toThrow('__proto__');
  expect(Object.keys(Object.prototype)).toEqual([]);
});
