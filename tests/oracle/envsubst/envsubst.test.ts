import { expect, test } from 'vitest';
import { evaluate } from '#adapters/kustomize/envsubst/evaluate.ts';
import { SubstitutionError } from '#adapters/kustomize/envsubst/parse.ts';
import { goProgram, seeded } from '../go-program.ts';
import corpus from './corpus.json' with { type: 'json' };
import { expressions, variables } from './expressions.ts';

type Answer = Readonly<{ bytes?: string; error?: string }>;
const values = new Map(Object.entries(variables));

/** What differs between our answer and Go's, or null. */
function difference(text: string, answer: Answer): string | null {
  const go = answer.error === undefined ? Buffer.from(answer.bytes ?? '', 'base64') : null;
  try {
    const ours = evaluate(text, values, { maxOutputBytes: 1_000_000 });
    return go !== null && go.equals(Buffer.from(ours))
      ? null
      : `${JSON.stringify(text)}: ours ${JSON.stringify(ours)}, Go ${go?.toString() ?? answer.error}`;
  } catch (error) {
    if (!(error instanceof SubstitutionError)) throw error;
    if (go === null || isKnown(error, go)) return null;
    return `${JSON.stringify(text)}: ours ${error.message}, Go ${JSON.stringify(go.toString())}`;
  }
}

/** Two refusals of ours that Go does not share: half a letter (YAML cannot hold it), and a negative length (definitions.md 3.2 makes it an error). */
function isKnown(error: SubstitutionError, go: Buffer): boolean {
  if (error.message.includes('negative length')) return true;
  return error.message.includes('UTF-8') && Buffer.from(go.toString('utf8')).compare(go) !== 0;
}

test('the committed corpus: 2,500 expressions, the same value or a refusal as well', () => {
  expect(corpus.length).toBeGreaterThanOrEqual(2_500);
  const differences = corpus
    .map(([text = '', bytes, error]) => difference(text, error === undefined ? { bytes: bytes ?? '' } : { error }))
    .filter((one) => one !== null);
  expect(differences).toEqual([]);
  expect(corpus.filter(([, , error]) => error === undefined).length).toBeGreaterThan(500);
});

test('random expressions against Go, from a printed seed', async (context) => {
  const oracle = await goProgram('envsubst');
  if (oracle === null) return context.skip('Go is not installed: only the corpus was compared');
  try {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const texts = expressions(5_000, seeded(seed));
    const answers = await oracle.ask({ variables, texts });
    if (!Array.isArray(answers)) throw new Error('the oracle gave no list');
    expect(answers).toHaveLength(texts.length);
    const differences = texts.map((text, index) => difference(text, answers[index])).filter((one) => one !== null);
    expect(differences, `seed ${seed}`).toEqual([]);
  } finally {
    await oracle.close();
  }
});
