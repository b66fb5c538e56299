import { expect, test } from 'vitest';
import { maskSecretValues } from '#adapters/kube/secret-mask.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'apps' },
  data: { password: base64('hunter2-canary') },
  stringData: { token: 'canary-token', short: 'ab' },
};

test.each([
  `Secret "keys" is invalid: data[password]: Invalid value: "${base64('hunter2-canary')}"`,
  'Secret "keys" is invalid: data: Invalid value: "hunter2-canary": bad',
  'illegal value canary-token at byte 3',
  `illegal value ${base64('canary-token')} at byte 3`,
  'Invalid value: "ab"',
  'unknown "a value \\" with canary quotes inside"',
])('%s: the value is masked, the names stay', (message) => {
  const masked = maskSecretValues(message, secret);
  expect(masked).not.toMatch(/canary|aHVudGVy|Y2FuYXJ5|"ab"/);
  expect(masked).toContain('***');
  if (message.includes('"keys"')) expect(masked).toContain('"keys"');
});

test('messages about other kinds pass as they are', () => {
  const message = 'ConfigMap "x" is invalid: data: Invalid value: "canary-token"';
  expect(maskSecretValues(message, { ...secret, kind: 'ConfigMap' })).toBe(message);
});
