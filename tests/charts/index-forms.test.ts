import { expect, test } from 'vitest';
import { entriesOfDocument } from '#adapters/chart/index-document.ts';
import { createIndexReader, type IndexEntries } from '#adapters/chart/index-lines.ts';
import { readYaml } from '#adapters/kustomize/yaml.ts';

function byLines(text: string, versions = 1_000, versionsOfOneChart = versions): IndexEntries | 'irregular' | 'tooMany' {
  const reader = createIndexReader({ versions, versionsOfOneChart });
  for (const line of text.split('\n')) reader.line(line);
  return reader.end();
}
const of = (read: ReturnType<typeof byLines>) => (typeof read === 'string' ? [] : (read.get('app') ?? []));
const byDocument = (text: string): IndexEntries | null => entriesOfDocument(readYaml(text, { maxBytes: 1_000_000, uniqueKeys: false })[0]);
const index = (entries: string): string => `apiVersion: v1\nentries:\n${entries}`;
const entry = (fields: string): string => index(`  app:\n  - name: app\n${fields}`);

test.each([
  [
    'as helm writes it',
    entry('    version: 1.2.3\n    digest: abc\n    created: "2026-01-01T00:00:00Z"\n    urls:\n    - app-1.2.3.tgz\n'),
  ],
  ['urls indented further', entry('    version: 1.2.3\n    urls:\n      - app-1.2.3.tgz\n      - https://x/app.tgz\n')],
  ['items indented further', index('  app:\n    - version: 1.2.3\n      urls:\n        - a.tgz\n    - version: 1.2.4\n')],
  ['the dash on a line of its own', index('  app:\n  -\n    version: 1.2.3\n    urls:\n    - a.tgz\n')],
  ['items at the indent of the name', index('  app:\n  - version: 1.0.0\n  b:\n  - version: 2.0.0\n')],
  ['quotes of both kinds', index("  \"app\":\n  - version: \"1.2.3\"\n    urls: \n    - 'a b.tgz'\n  'b':\n  - version: '2'\n")],
  [
    'comments and blank lines',
    '# one\n---\n\napiVersion: v1 # x\nentries: # y\n  app: # z\n\n  # c\n  - version: 1.2.3 # v\n    urls: # u\n    # d\n    - a.tgz # e\n',
  ],
  [
    'keys before and after',
    'generated: "x"\napiVersion: v1\nserverInfo: {}\nentries:\n  app:\n  - version: 1.2.3\nzzz:\n  deep:\n  - urls:\n    - n.tgz\n',
  ],
  [
    'block texts that look like keys',
    entry('    description: |\n      urls:\n      - bad.tgz\n      version: 9.9.9\n    version: 1.2.3\n'),
  ],
  ['folded texts', entry('    description: a long\n      text that goes on\n    version: 1.2.3\n')],
  ['flow values in other keys', entry('    keywords: [a, "b: c"]\n    maintainers: [{name: x}]\n    version: 1.2.3\n')],
  [
    'urls of a dependency',
    entry(
      '    dependencies:\n    - name: x\n      urls:\n      - bad.tgz\n      version: 9.9.9\n    version: 1.2.3\n    urls:\n    - a.tgz\n',
    ),
  ],
  ['numbers as versions', index('  app:\n  - version: 1.10\n  - version: 1\n  - version: 1e3\n')],
  ['empty lists', index('  app: []\n  b:\n  - version: 1.0.0\n    urls: []\n')],
  ['no charts', 'apiVersion: v1\nentries: {}\n'],
  ['CR LF', entry('    version: 1.2.3\n    urls:\n    - a.tgz\n').replaceAll('\n', '\r\n')],
  ['a second document', `${entry('    version: 1.2.3\n')}---\napiVersion: v1\nentries:\n  app:\n  - version: 6.6.6\n`],
  ['an end mark', `${entry('    version: 1.2.3\n')}...\n`],
])('%s: read by lines, and the same as by the whole reader', (_what, text) => {
  expect(byLines(text)).toBeInstanceOf(Map);
  expect(byLines(text)).toEqual(byDocument(text));
});

test.each([
  ['JSON', '{"apiVersion": "v1", "entries": {}}'],
  ['a flow map of charts', 'apiVersion: v1\nentries: {app: [{version: 1.2.3}]}\n'],
  ['a flow list of versions', index('  app: [{version: 1.2.3}]\n')],
  ['a flow entry', index('  app:\n  - {version: 1.2.3}\n')],
  ['flow urls', entry('    version: 1.2.3\n    urls: [a.tgz]\n')],
  ['an anchor', entry('    version: &v 1.2.3\n')],
  ['an alias', entry('    version: *v\n')],
  ['a tag', entry('    version: !!str 1.2.3\n')],
  ['a merge key', index('  app:\n  - <<: *base\n    version: 1.2.3\n')],
  ['an escape', entry('    version: "1.2\\x2e3"\n')],
  ['a version over two lines', entry('    version: 1.2\n      .3\n')],
  ['a folded url', entry('    urls:\n    - a\n      .tgz\n')],
  ['a block version', entry('    version: |\n      1.2.3\n')],
  ['a chart that stands twice', index('  app:\n  - version: 1.0.0\n  app:\n  - version: 2.0.0\n')],
  ['entries that stand twice', `${entry('    version: 1.2.3\n')}entries:\n  b:\n  - version: 1.0.0\n`],
  ['tabs', index('  app:\n  -\tversion: 1.2.3\n\t- x\n')],
  ['NUL', entry('    version: 1.2.3\0\n')],
  ['no apiVersion', 'entries:\n  app:\n  - version: 1.2.3\n'],
  ['no entries', 'apiVersion: v1\n'],
  ['a hexadecimal version', entry('    version: 0x10\n')],
  ['underscores in a number', entry('    version: 1_0\n')],
])('%s is left to the whole reader, never guessed', (_what, text) => {
  expect(byLines(text)).toBe('irregular');
});

test('lists without end are given up or cut: versions, charts, addresses', () => {
  const versions = index(`  app:\n${'  - version: 1.0.0\n'.repeat(101)}`);
  expect(byLines(versions, 100)).toBe('tooMany');
  expect(byLines(versions, 200, 100)).toBe('tooMany');
  expect(of(byLines(versions, 101))).toHaveLength(101);
  const charts = index(Array.from({ length: 101 }, (_none, at) => `  c${at}:\n  - version: 1.0.0\n`).join(''));
  expect(byLines(charts, 100)).toBe('tooMany');
  expect(byLines(index(Array.from({ length: 101 }, (_none, at) => `  c${at}: []\n`).join('')), 100)).toBe('tooMany');
  const urls = entry(`    version: 1.0.0\n    urls:\n${'    - a.tgz\n'.repeat(5_000)}`);
  expect(of(byLines(urls))[0]?.urls).toHaveLength(4);
});
