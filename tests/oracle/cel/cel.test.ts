import Type from 'typebox';
import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { textOfDouble } from '#core/cel/convert.ts';
import { compileCondition, namesOf, type Parsed, parseRule, valueOf } from '#core/cel/expression.ts';
import { floorDiv } from '#core/cel/times.ts';
import { CelError, type Value as CelValue, purseOf, typeOf } from '#core/cel/values.ts';
import { goProgram } from '../go-program.ts';
import { conditions } from './conditions.ts';
import { object, rules } from './expressions.ts';

const Answers = Type.Array(
  Type.Object({ value: Type.Optional(Type.String()), error: Type.Optional(Type.String()), detail: Type.Optional(Type.String()) }),
);
const patterns = createPatterns();

function shown(value: CelValue): string {
  if (typeof value === 'string') return `string ${JSON.stringify(value)}`;
  if (typeof value === 'number') return `double ${textOfDouble(value)}`;
  if (value === null) return 'null_type NULL_VALUE';
  if (typeof value !== 'object') return `${typeOf(value)} ${value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  switch (value.is) {
    case 'uint':
      return `uint ${value.value}`;
    case 'list':
      return `[${value.items.map((one) => `${shown(one)};`).join('')}]`;
    case 'map':
      return `map of ${value.entries.size}`;
    case 'timestamp': {
      const seconds = floorDiv(value.ns, 1_000_000_000n);
      return `timestamp ${seconds}.${value.ns - seconds * 1_000_000_000n}`;
    }
    case 'duration':
      return `duration ${value.ns}`;
    case 'optional':
      return value.value === undefined ? 'none' : `some(${shown(value.value)})`;
    case 'type':
      return `type ${value.name}`;
  }
}

function ours(parsed: Parsed, data: Parameters<typeof namesOf>[0]): string {
  if (parsed.is === 'invalid') return `parse error: ${parsed.message}`;
  try {
    return shown(valueOf(parsed.expression, namesOf(data, { total: purseOf(100_000) }), { patterns, purse: purseOf(100_000) }));
  } catch (error) {
    if (error instanceof CelError) return `run error: ${error.message}`;
    throw error;
  }
}

/** Null without Go: then nothing here can say what is right, and the caller skips. limits.test.ts and the tests on the plane run anyway. */
async function compare(texts: readonly string[], compiled: boolean): Promise<readonly string[] | null> {
  const oracle = await goProgram('cel');
  if (oracle === null) return null;
  try {
    const input = { object, expressions: texts, compiled };
    const answers = Value.Parse(Answers, await oracle.ask(input));
    expect(answers).toHaveLength(texts.length);
    return texts.flatMap((text, index) => {
      const answer = answers[index] ?? {};
      const mine = compiled ? ours(compileCondition(text, ['self', 'dep']), { self: object, dep: object }) : ours(parseRule(text), object);
      const same = answer.error === undefined ? mine === answer.value : mine.startsWith(`${answer.error} error`);
      return same
        ? []
        : [`${text}\n    ours ${mine}\n    Go   ${answer.value ?? `${answer.error} error: ${answer.detail?.slice(0, 200)}`}`];
    });
  } finally {
    await oracle.close();
  }
}

test('health rules come to what cel-go makes of them, value by value and refusal by refusal', { timeout: 120_000 }, async (context) => {
  const differences = await compare(rules, false);
  if (differences === null) return context.skip('Go is not installed');
  expect(differences.join('\n')).toBe('');
});

test('conditions over self and dep are checked and answered as cel-go does', { timeout: 120_000 }, async (context) => {
  const differences = await compare(conditions, true);
  if (differences === null) return context.skip('Go is not installed');
  expect(differences.join('\n')).toBe('');
});
