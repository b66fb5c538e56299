import { describe, expect, test } from 'vitest';
import { brokenStatusRules, type Condition, conditionsFor } from './conditions.ts';
import type { JsonObject } from './json.ts';
import type { Outcome } from './outcome.ts';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const LATER = NOW + 60_000;

function types(conditions: readonly Condition[]): readonly string[] {
  return conditions.map((one) => `${one.type}=${one.status}/${one.reason}`);
}

function made(outcome: Outcome, previous: readonly Condition[] = [], nowMs = NOW): readonly Condition[] {
  return conditionsFor({ outcome, extras: [], previous, generation: 3, nowMs });
}

const ready: Outcome = { is: 'ready', reason: 'Succeeded', message: 'fine', revision: 'r' };
const failed: Outcome = { is: 'failed', reason: 'GitOperationFailed', message: 'no answer' };

describe('each outcome', () => {
  test.each([
    [ready, ['Ready=True/Succeeded']],
    [failed, ['Reconciling=True/ProgressingWithRetry', 'Ready=False/GitOperationFailed']],
    [{ is: 'waiting', reason: 'Progressing', message: 'busy', afterMs: 1 }, ['Reconciling=True/Progressing', 'Ready=Unknown/Progressing']],
    [
      { is: 'waiting', reason: 'UnknownResult', message: 'cut', afterMs: 1 },
      ['Reconciling=True/Progressing', 'Ready=Unknown/UnknownResult'],
    ],
    [
      { is: 'waiting', reason: 'DependencyNotReady', message: 'first', afterMs: 1 },
      ['Reconciling=True/Progressing', 'Ready=False/DependencyNotReady'],
    ],
    [{ is: 'stalled', reason: 'URLInvalid', message: 'no host' }, ['Stalled=True/URLInvalid', 'Ready=False/URLInvalid']],
  ] as const)('%o', (outcome, expected) => {
    const conditions = made(outcome);
    expect(types(conditions)).toEqual(expected);
    expect(
      brokenStatusRules({ generation: 3, status: { observedGeneration: 3, conditions: conditions as unknown as JsonObject[] } }),
    ).toEqual([]);
  });
});

describe('transitions', () => {
  test('the time moves with the status and not with the message', () => {
    const first = made(failed);
    const second = made({ ...failed, message: 'still no answer' }, first, LATER);
    expect(second.find((one) => one.type === 'Ready')).toMatchObject({
      message: 'still no answer',
      lastTransitionTime: '2026-11-24T10:00:00Z',
    });
    const third = made(ready, second, LATER);
    expect(third.find((one) => one.type === 'Ready')).toMatchObject({ lastTransitionTime: '2026-11-24T10:01:00Z' });
  });

  test('other conditions stay until a kind sets or removes them', () => {
    const fetched = conditionsFor({
      outcome: failed,
      extras: [{ type: 'FetchFailed', status: 'True', reason: 'GitOperationFailed', message: 'x' }],
      previous: [],
      generation: 1,
      nowMs: NOW,
    });
    expect(types(made(failed, fetched))).toContain('FetchFailed=True/GitOperationFailed');
    const cleared = conditionsFor({
      outcome: ready,
      extras: [{ type: 'FetchFailed', status: null }],
      previous: fetched,
      generation: 1,
      nowMs: NOW,
    });
    expect(types(cleared)).toEqual(['Ready=True/Succeeded']);
  });
});

test('what a run does not speak of keeps the generation at which it was seen', () => {
  const verified = { type: 'SourceVerified', status: 'True', reason: 'Succeeded', message: 'signed' } as const;
  const first = conditionsFor({ outcome: ready, extras: [verified], previous: [], generation: 1, nowMs: NOW });
  const later = made(failed, first, LATER);
  expect(later.map(({ type, observedGeneration }) => [type, observedGeneration])).toEqual([
    ['Reconciling', 3],
    ['Ready', 3],
    ['SourceVerified', 1],
  ]);
  const again = conditionsFor({ outcome: ready, extras: [verified], previous: later, generation: 3, nowMs: LATER });
  expect(again.find((one) => one.type === 'SourceVerified')).toMatchObject({
    observedGeneration: 3,
    lastTransitionTime: '2026-11-24T10:00:00Z',
  });
});

describe('the checker finds', () => {
  const good = {
    type: 'Ready',
    status: 'True',
    reason: 'Succeeded',
    message: '',
    observedGeneration: 2,
    lastTransitionTime: '2026-11-24T10:00:00Z',
  };
  test.each([
    ['1', [good, good], 2],
    ['2', [good, { ...good, type: 'Stalled', status: 'False' }], 2],
    [
      '3',
      [
        { ...good, status: 'False' },
        { ...good, type: 'Stalled' },
        { ...good, type: 'Reconciling' },
      ],
      2,
    ],
    ['4', [good, { ...good, type: 'Reconciling' }], 2],
    ['5', [good], 1],
    ['6', [good], 3],
    ['7', [{ ...good, lastTransitionTime: 'yesterday' }], 2],
    ['8', [{ ...good, type: 'Healthy' }], 2],
  ])('rule %s', (rule, conditions, observedGeneration) => {
    const broken = brokenStatusRules({ generation: 2, status: { observedGeneration, conditions } });
    expect(broken.map((one) => one[0])).toContain(rule);
  });
});
