import { expect, test } from 'vitest';
import { setterValues } from '#core/image/setters.ts';
import { setters } from './setters.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const values = setterValues([
  { namespace: 'ns', name: 'app', latest: { name: 'ghcr.io/a/b', tag: '1.2.3' } },
  { namespace: 'ns', name: 'pinned', latest: { name: 'r.test:5000/c', tag: '2', digest } },
  { namespace: 'ns', name: 'ten', latest: { name: 'x', tag: '1.10' } },
]);
const mark = (setter: string): string => `# {"$imagepolicy": "${setter}"}`;

function applied(text: string): string {
  const edit = setters.apply(text, values);
  return edit.is === 'changed' ? edit.text : edit.is;
}

test.each<readonly [string, string, string]>([
  ['plain', `image: old:1 ${mark('ns:app')}\n`, `image: ghcr.io/a/b:1.2.3 ${mark('ns:app')}\n`],
  ['double quotes', `image: "old:1" ${mark('ns:app')}\n`, `image: "ghcr.io/a/b:1.2.3" ${mark('ns:app')}\n`],
  ['single quotes', `image: 'old:1'   ${mark('ns:app')}`, `image: 'ghcr.io/a/b:1.2.3'   ${mark('ns:app')}`],
  ['with digest', `image: old ${mark('ns:pinned')}\n`, `image: r.test:5000/c:2@${digest} ${mark('ns:pinned')}\n`],
  ['tag', `newTag: v1 ${mark('ns:app:tag')}\n`, `newTag: 1.2.3 ${mark('ns:app:tag')}\n`],
  ['name', `newName: x ${mark('ns:app:name')}\n`, `newName: ghcr.io/a/b ${mark('ns:app:name')}\n`],
  ['digest', `digest: x ${mark('ns:pinned:digest')}\n`, `digest: ${digest} ${mark('ns:pinned:digest')}\n`],
  ['a tag that would be a number is quoted', `newTag: 1.9.0 ${mark('ns:ten:tag')}\n`, `newTag: "1.10" ${mark('ns:ten:tag')}\n`],
  ['a tag that would be an integer is quoted', `newTag: v1 ${mark('ns:pinned:tag')}\n`, `newTag: "2" ${mark('ns:pinned:tag')}\n`],
  ['list item', `- a:1 ${mark('ns:app')}\n- b:1\n`, `- ghcr.io/a/b:1.2.3 ${mark('ns:app')}\n- b:1\n`],
  ['anchor', `a: &x old ${mark('ns:app')}\nb: *x\n`, `a: &x ghcr.io/a/b:1.2.3 ${mark('ns:app')}\nb: *x\n`],
  ['tag of YAML', `a: !!str old ${mark('ns:app')}\n`, `a: !!str ghcr.io/a/b:1.2.3 ${mark('ns:app')}\n`],
  ['CRLF', `a: old ${mark('ns:app')}\r\nb: 1\r\n`, `a: ghcr.io/a/b:1.2.3 ${mark('ns:app')}\r\nb: 1\r\n`],
  [
    'documents',
    `a: old ${mark('ns:app')}\n---\nb: old ${mark('ns:app:tag')}\n`,
    `a: ghcr.io/a/b:1.2.3 ${mark('ns:app')}\n---\nb: 1.2.3 ${mark('ns:app:tag')}\n`,
  ],
  ['last line of a flow list', `a: [x,\n  old ${mark('ns:app')}\n]\n`, `a: [x,\n  ghcr.io/a/b:1.2.3 ${mark('ns:app')}\n]\n`],
  ['no blanks in the marker', 'a: old # {"$imagepolicy":"ns:app"}\n', 'a: ghcr.io/a/b:1.2.3 # {"$imagepolicy":"ns:app"}\n'],
  ['empty quotes', `a: "" ${mark('ns:app')}\n`, `a: "ghcr.io/a/b:1.2.3" ${mark('ns:app')}\n`],
  ['byte order mark', `\ufeffa: old ${mark('ns:app')}\n`, `\ufeffa: ghcr.io/a/b:1.2.3 ${mark('ns:app')}\n`],
])('%s', (_name, before, after) => {
  expect(applied(before)).toBe(after);
  expect(applied(after), 'nothing is left to do').toBe('unchanged');
});

test.each<readonly [string, string]>([
  ['another policy', `a: old ${mark('ns:other')}\n`],
  ['another namespace', `a: old ${mark('xx:app')}\n`],
  ['a part that does not exist', `a: old ${mark('ns:app:whole')}\n`],
  ['a digest that the policy does not have', `a: old ${mark('ns:app:digest')}\n`],
  ['a comment on a line of its own', `a: old\n${mark('ns:app')}\nb: 1\n`],
  ['a key without a value', `a: ${mark('ns:app')}\n`],
  ['a value on the next line', `a: ${mark('ns:app')}\n  old\n`],
  ['a block scalar', `a: | ${mark('ns:app')}\n  old\n`],
  ['text in a block scalar', `a: |\n  b: old ${mark('ns:app')}\n`],
  ['a comment behind a block scalar', `a: |\n  old\n${mark('ns:app')}\n`],
  ['a comment behind an empty block scalar', `a: |\n${mark('ns:app')}\nb: 1\n`],
  ['text in quotes', `a: "old ${mark('ns:app').replaceAll('"', '\\"')}"\n`],
  ['a flow map', `a: {b: old} ${mark('ns:app')}\n`],
  ['an alias', `b: &x 1\na: *x ${mark('ns:app')}\n`],
  ['no JSON', 'a: old # {"$imagepolicy": ns:app}\n'],
  ['more text behind', `a: old ${mark('ns:app')} and more\n`],
  ['no text at all', ''],
])('left alone: %s', (_name, text) => {
  expect(setters.apply(text, values)).toEqual({ is: 'unchanged' });
});

test.each(['a: [old # {"$imagepolicy": "ns:app"}\n', 'a: b: old # {"$imagepolicy": "ns:app"}\n', `a: old ${mark('ns:app')}\n\tb: 1\n`])(
  'a file that is no YAML is not touched: %j',
  (text) => {
    expect(setters.apply(text, values)).toMatchObject({ is: 'unreadable', message: expect.stringMatching(/./) });
  },
);

test('each change says its object, its values and its setter', () => {
  const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: one, namespace: prod}\nspec:\n  image: old:1 ${mark('ns:app')}\n---\nkind: Kustomization\nimages:\n  - newTag: v1 ${mark('ns:app:tag')}\n`;
  const edit = setters.apply(text, values);
  expect(edit).toMatchObject({
    changes: [
      {
        object: { apiVersion: 'v1', kind: 'Pod', name: 'one', namespace: 'prod' },
        change: { oldValue: 'old:1', newValue: 'ghcr.io/a/b:1.2.3', setter: 'ns:app' },
      },
      {
        object: { apiVersion: '', kind: 'Kustomization', name: '', namespace: '' },
        change: { oldValue: 'v1', newValue: '1.2.3', setter: 'ns:app:tag' },
      },
    ],
  });
});

test('deep brackets end in a sentence', () => {
  expect(setters.apply(`a: old ${mark('ns:app')}\nb: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, values)).toMatchObject({
    is: 'unreadable',
  });
});
