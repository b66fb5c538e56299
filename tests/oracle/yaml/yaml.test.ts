import { expect, test } from 'vitest';
import { readYaml, YamlError } from '#adapters/kustomize/yaml.ts';
import { canonicalJson, parseJson } from '#core/json.ts';
import { goProgram, seeded } from '../go-program.ts';
import corpus from './corpus.json' with { type: 'json' };
import { documents, randomScalars, shortScalars } from './documents.ts';

type Answer = Readonly<{ json?: string; error?: string }>;

/** What differs between our answer and Go's, or null. Of a stream Go takes the first document. */
function difference(text: string, answer: Answer): string | null {
  const go = answer.error === undefined ? canonicalJson(parseJson(answer.json ?? 'null')) : null;
  try {
    const [first = null] = readYaml(text, { maxBytes: 100_000, uniqueKeys: false });
    const ours = canonicalJson(first);
    return ours === go ? null : `${JSON.stringify(text)}: ours ${ours}, Go ${go ?? answer.error}`;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return go === null ? null : `${JSON.stringify(text)}: ours ${error.message}, Go ${go}`;
  }
}

test('the committed corpus: hard documents and all scalars of up to two characters', () => {
  expect(corpus.length).toBeGreaterThan(400);
  expect(
    corpus
      .map(([text = '', json, error]) => difference(text, error === undefined ? { json: json ?? 'null' } : { error }))
      .filter((one) => one !== null),
  ).toEqual([]);
});

test('all scalars of up to three characters and random longer ones against Go, from a printed seed', async (context) => {
  const oracle = await goProgram('yaml');
  if (oracle === null) return context.skip('Go is not installed: only the corpus was compared');
  try {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const texts = [...documents, ...[...shortScalars(3), ...randomScalars(5_000, seeded(seed))].map((scalar) => `a: ${scalar}\n`)];
    const answers = await oracle.ask(texts);
    if (!Array.isArray(answers)) throw new Error('the oracle gave no list');
    expect(answers).toHaveLength(texts.length);
    expect(
      texts.map((text, index) => difference(text, answers[index])).filter((one) => one !== null),
      `seed ${seed}`,
    ).toEqual([]);
  } finally {
    await oracle.close();
  }
});
