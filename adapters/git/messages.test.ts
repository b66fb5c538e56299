import { expect, test } from 'vitest';
import { failureOf, redact, secretTexts } from './messages.ts';
import { parseRemoteRefs } from './remote-refs.ts';

test.each([
  ["fatal: Authentication failed for 'https://h/x'\n", 'gitAuthFailed', "Authentication failed for 'h'"],
  [
    "fatal: could not read Username for 'https://h': terminal prompts disabled\n",
    'gitAuthFailed',
    "could not read Username for 'h': terminal prompts disabled",
  ],
  [
    "fatal: unable to access 'https://h/x/': The requested URL returned error: 403\n",
    'gitAuthFailed',
    "unable to access 'h': The requested URL returned error: 403",
  ],
  [
    "fatal: unable to access 'https://h/x/': The requested URL returned error: 500\n",
    'gitFailed',
    "unable to access 'h': The requested URL returned error: 500",
  ],
  [
    "warning: a\nhint: b\nremote: \nremote: Repository not found.\nremote: more\nfatal: repository 'https://h/x/' not found\n",
    'gitFailed',
    "Repository not found.: repository 'h' not found",
  ],
  ['', 'gitFailed', 'git ended with exit code 128 and no message'],
  ['error: \u001b[31mred\u0007 text\n', 'gitFailed', '[31mred text'],
])('%j', (text, code, message) => {
  expect(failureOf(text, 128, [], null)).toMatchObject({ code, message });
});

test('long messages are cut', () => {
  expect(failureOf(`fatal: ${'x'.repeat(5_000)}`, 1, [], null).message.length).toBe(512);
});

test('a URL loses all but its host, a header its value, and a secret is not there in any form', () => {
  const secrets = secretTexts(['p@ss word', 'user:p@ss word']);
  const text = `see https://u:pw@h.example:8443/a/b?token=t and Authorization: Basic zzz`;
  expect(redact(text, secrets)).toBe('see h.example:8443 and Authorization: ***');
  for (const form of ['p@ss word', 'p%40ss%20word', Buffer.from('user:p@ss word').toString('base64')])
    expect(redact(`said ${form} here`, secrets)).toBe('said *** here');
});

test('benign twin: an ordinary sentence stays as it is', () => {
  expect(redact('couldn’t find remote ref refs/heads/main', secretTexts(['other']))).toBe('couldn’t find remote ref refs/heads/main');
});

test('references: peeled tags replace their object, odd names and lines are left out', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((one) => one.repeat(40));
  const output = [
    `${a}\tHEAD`,
    `${a}\trefs/heads/main`,
    `${b}\trefs/tags/v1`,
    `${c}\trefs/tags/v1^{}`,
    `${a}\trefs/heads/../../etc`,
    `${a}\trefs/heads/a b`,
    `short\trefs/heads/x`,
    `${a} refs/heads/y`,
    `${a}\trefs/heads/\u0007`,
    '',
  ].join('\n');
  expect(parseRemoteRefs(output)).toEqual([
    { name: 'HEAD', commit: a },
    { name: 'refs/heads/main', commit: a },
    { name: 'refs/tags/v1', commit: c },
  ]);
});
