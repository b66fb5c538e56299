import { describe, expect, it } from 'vitest';
import { newSecretMask } from './secret-mask.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function maskOf(...values: readonly string[]): (text: string) => string {
  const mask = newSecretMask();
  mask.learn(values.map(bytes));
  return mask.text;
}

describe('a value of a Secret in a text', () => {
  const value = 'pa"ss/word 1';
  it.each([
    ['as it is', `Invalid value: ${value}: must match`],
    ['quoted', `Invalid value: ${JSON.stringify(value)}: must match`],
    ['in base64', `data: ${Buffer.from(value).toString('base64')}`],
    ['in an address', `https://x.test/?p=${encodeURIComponent(value)}`],
    ['cut off', `Invalid value: ${value.slice(0, 8)}…; already changed: nothing`],
  ])('%s is masked', (_how, text) => {
    const masked = maskOf(value)(text);
    expect(masked).toContain('***');
    expect(masked).not.toContain(value.slice(0, 4));
  });

  it('of several lines is masked on one line, as substitution writes it', () => {
    expect(maskOf('first\nsecond\n')('got firstsecond here')).toBe('got *** here');
  });

  it('inside a longer one leaves no rest', () => {
    expect(maskOf('secret', 'secret-and-more')('x secret-and-more y secret')).toBe('x *** y ***');
  });
});

it('benign twin: what is no value stays, and so do numbers and short words', () => {
  const text = 'Deployment apps/web: spec.replicas: 3 is true…';
  expect(maskOf('3', 'true'.slice(0, 3), 'another-value')(text)).toBe(text);
  expect(newSecretMask().text(text)).toBe(text);
});
