import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { setterValues } from '#core/image/setters.ts';
import { setters } from './setters.ts';

const values = setterValues([
  { namespace: 'ns', name: 'app', latest: { name: 'ghcr.io/a/b', tag: '1.10', digest: `sha256:${'0'.repeat(64)}` } },
  { namespace: 'ns', name: 'web', latest: { name: 'r.test:5000/web', tag: 'v2.0.0-rc.1' } },
]);
const known = [...values.keys()];

/** A piece of YAML as it stands and as it is to stand. */
type Piece = Readonly<{ before: string; after: string; marked: number }>;
const same = (text: string): Piece => ({ before: text, after: text, marked: 0 });
const joined = (...pieces: readonly Piece[]): Piece => ({
  before: pieces.map((one) => one.before).join(''),
  after: pieces.map((one) => one.after).join(''),
  marked: pieces.reduce((sum, one) => sum + one.marked, 0),
});
const mapText = (piece: Piece, change: (text: string) => string): Piece => ({
  ...piece,
  before: change(piece.before),
  after: change(piece.after),
});

const word = fc
  .stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
  .filter((one) => !['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null'].includes(one));
const oldValue = fc.constantFrom('old', 'old:1', 'x/y:2@sha256:00', '1.2', '0', 'true', 'a b', 'a#b', 'x:y');
const quotes = fc.constantFrom('', "'", '"');
const blanks = fc.constantFrom(' ', '  ', '\t', ' \t ');
const prefix = fc.constantFrom('', '', '', '!!str ', '&anchor ', '&a !!str ');

/** What Go, and the reader of this test, take for text when it stands without quotes. */
const quotedPlain: ReadonlySet<string> = new Set(['1.10']);

const marked: fc.Arbitrary<Piece> = fc
  .record({ setter: fc.constantFrom(...known), old: oldValue, quote: quotes, space: blanks, before: prefix, tight: fc.boolean() })
  .map(({ setter, old, quote, space, before, tight }) => {
    const value = values.get(setter) ?? '';
    const next = quote === '' && quotedPlain.has(value) ? `"${value}"` : `${quote}${value}${quote}`;
    const comment = tight ? `# {"$imagepolicy":"${setter}"}` : `# {"$imagepolicy": "${setter}"}`;
    return { before: `${before}${quote}${old}${quote}${space}${comment}`, after: `${before}${next}${space}${comment}`, marked: 1 };
  });
const unmarked: fc.Arbitrary<Piece> = fc.oneof(
  fc.tuple(prefix, quotes, oldValue).map(([before, quote, old]) => same(`${before}${quote}${old}${quote}`)),
  fc
    .constantFrom(
      'old # a comment',
      'old # {"$imagepolicy": "ns:other"}',
      'old # {"$imagepolicy": "ns:app"} and',
      '{a: b} # {"$imagepolicy": "ns:app"}',
      '[a, b]',
      '""',
      '*alias',
    )
    .map(same),
);
const scalar = fc.oneof({ weight: 2, arbitrary: marked }, { weight: 2, arbitrary: unmarked });
const noise = fc.constantFrom('', '', '# comment\n', '\n', '# {"$imagepolicy": "ns:app"}\n', '   \n');

function indented(piece: Piece, width: number): Piece {
  return mapText(piece, (text) => text.replaceAll(/^(?=[^\n])/gm, ' '.repeat(width)));
}

const block = fc
  .tuple(fc.constantFrom('|', '>', '|-', '>+', '|2'), word)
  .map(([header, text]) => same(`${header}\n  ${text}: old # {"$imagepolicy": "ns:app"}\n  ${text}\n`));

const { node } = fc.letrec<{ node: Piece }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'yaml' },
    fc.tuple(noise, word, scalar).map(([before, key, value]) => joined(same(`${before}${key}: `), value, same('\n'))),
    fc.tuple(word, block).map(([key, value]) => joined(same(`${key}: `), value)),
    fc
      .tuple(word, fc.array(tie('node'), { minLength: 1, maxLength: 3 }), fc.constantFrom(2, 4))
      .map(([key, inner, width]) => joined(same(`${key}:\n`), indented(joined(...inner), width))),
    fc
      .tuple(word, fc.array(scalar, { minLength: 1, maxLength: 3 }), fc.constantFrom('- ', '  - ', '-   '))
      .map(([key, items, dash]) => joined(same(`${key}:\n`), ...items.flatMap((item) => [same(dash), item, same('\n')]))),
    fc
      .tuple(word, word, scalar, scalar)
      .map(([key, first, a, b]) => joined(same(`${key}:\n  - ${first}: `), a, same(`\n    other: `), b, same('\n'))),
    fc.tuple(word, scalar).map(([key, item]) => joined(same(`${key}: [\n  first,\n  `), item, same('\n]\n'))),
  ),
}));
const document = fc.array(node, { minLength: 1, maxLength: 5 }).map((pieces) => joined(same('anchors: &alias x\n'), ...pieces));
const file = fc
  .record({
    documents: fc.array(document, { minLength: 1, maxLength: 3 }),
    crlf: fc.boolean(),
    last: fc.boolean(),
    separator: fc.constantFrom('---\n', '--- # next\n', '...\n---\n'),
  })
  .map(({ documents, crlf, last, separator }) => {
    const whole = joined(...documents.flatMap((one, index) => (index === 0 ? [one] : [same(separator), one])));
    const ended = last ? whole : mapText(whole, (text) => text.replace(/\n$/, ''));
    return crlf ? mapText(ended, (text) => text.replaceAll('\n', '\r\n')) : ended;
  });

const readable = (text: string): boolean => {
  const documents = parseAllDocuments(text, { version: '1.1', uniqueKeys: false, logLevel: 'silent' });
  return Array.isArray(documents) && documents.every((one) => one.errors.length === 0);
};

test('2,000 shapes of YAML are byte-equal outside the marked scalars, and marked scalars are what the policies say', () => {
  let changed = 0;
  fc.assert(
    fc.property(file, (piece) => {
      fc.pre(readable(piece.before));
      const edit = setters.apply(piece.before, values);
      if (piece.marked === 0) {
        expect(edit).toEqual({ is: 'unchanged' });
        return;
      }
      changed += 1;
      expect(edit.is).toBe('changed');
      if (edit.is !== 'changed') return;
      expect(edit.text).toBe(piece.after);
      expect(edit.changes.length).toBe(piece.marked);
      expect(readable(edit.text)).toBe(true);
      expect(setters.apply(edit.text, values)).toEqual({ is: 'unchanged' });
    }),
    { numRuns: 2_000, maxSkipsPerRun: 100 },
  );
  expect(changed).toBeGreaterThan(300);
});
