import { expect, test } from 'vitest';
import { readYaml } from '#adapters/kustomize/yaml.ts';
import { manifestText } from './manifest-text.ts';

const hard = [
  ...[
    'y',
    'on',
    'No',
    'true',
    'null',
    '~',
    '',
    ' ',
    '1',
    '0o17',
    '0x1F',
    '1_000',
    '1e3',
    '.5',
    '1:30',
    '2001-01-01',
    '<<',
    '=',
    '-',
    '- a',
    'a: b',
    'a #b',
  ],
  ...[
    'one\n\n\ntwo\n',
    'one\ntwo',
    '\nfirst',
    '  lead\nx',
    'trail  \nx',
    'tab\tx\ny',
    'a\r\nb',
    'é\nü',
    '\u2028',
    '\u0085x',
    '{{ x }}',
    '*a',
    '&a',
    '!x',
    '%x',
    '@x',
    '`x',
  ],
  ...['infinity', '.inf', 'e1', 'quay.io/a/b:1.2.3', '--flag=x', 'a\n', '\n', 'x\n\n', '"q"', "it's", '\\n', '\u0000', '\u001b[31m'],
];

// A key `<<` is a merge to readers, however it is written; no Kubernetes object has one.
const keysOf = hard.filter((text) => text !== '<<');

test('every text, as a value and as a key, is read back as it was', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a' },
    data: Object.fromEntries(hard.map((text, index) => [`k${index}`, text])),
  };
  const keys = { keys: Object.fromEntries(keysOf.map((text) => [text, 'v'])) };
  const read = readYaml(manifestText([object, keys]), { maxBytes: 100_000, uniqueKeys: true });
  expect(read.filter((one) => one !== null)).toEqual([object, keys]);
});

test('numbers and booleans stay what they are; what people read often is not quoted', () => {
  const text = manifestText([{ a: 1, b: 1.5, c: true, d: null, e: 12345678901234567890n, image: 'ghcr.io/a/b:6.9.2', list: [], map: {} }]);
  expect(text).toBe('---\na: 1\nb: 1.5\nc: true\nd: null\ne: 12345678901234567890\nimage: ghcr.io/a/b:6.9.2\nlist: []\nmap: {}\n');
});
