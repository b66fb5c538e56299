import { expect, test } from 'vitest';
import { parseDocuments } from './documents.ts';

function dataOf(yaml: string): unknown {
  return parseDocuments(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: ${yaml}`, 'file')[0]?.object['data'];
}

test.each([
  ['1:30', '1:30'],
  ['2001-12-14', '2001-12-14'],
  ['e1', 'e1'],
  ['.', '.'],
  ['0644', 420],
  ['0o17', 15],
  ['0x1F', 31],
  ['1_000', 1000],
  ['089', 89],
  ['-1.5e3', -1500],
  ['yes', true],
  ['"yes"', 'yes'],
  ['~', null],
  ['12345678901234567890', 12345678901234567890n],
  ['1e1234567', Number.POSITIVE_INFINITY],
])('%s is read as Go reads it', (yaml, value) => {
  if (value === Number.POSITIVE_INFINITY) expect(() => dataOf(yaml)).toThrow(/no JSON number/);
  else expect(dataOf(yaml)).toEqual(value);
});

test('several documents, lists and empty ones', () => {
  const list = '---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: ns}}\n';
  const found = parseDocuments(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n# nothing\n${list}`, 'file');
  expect(found.map(({ kind, name, namespace }) => [kind, name, namespace])).toEqual([
    ['ConfigMap', 'a', null],
    ['Secret', 'b', 'ns'],
  ]);
});

test.each([
  ['a: [', 'neither YAML nor JSON'],
  ['a: .nan', 'lacks apiVersion|no JSON number'],
  ['x: 1\nx: 2', 'neither YAML nor JSON'],
  ['- 1', 'is no object'],
  ['{kind: A}', 'lacks apiVersion or kind'],
  ['{apiVersion: v1, kind: A}', 'lacks metadata.name'],
  ['{apiVersion: v1, kind: A, metadata: {name: a, namespace: n}}', 'namespace is no text'],
  [`a: &a [x]\nb: [${'*a,'.repeat(200)}]`, 'aliases'],
])('%j is refused, naming file and reason', (text, why) => {
  expect(() => parseDocuments(text, 'some.yaml')).toThrow(new RegExp(`some\\.yaml.*(${why})`, 's'));
});
