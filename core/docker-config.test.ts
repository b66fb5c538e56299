import { expect, test } from 'vitest';
import { dockerLogin } from './docker-config.ts';

const config = (auths: unknown): string => JSON.stringify({ auths });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = (username: string, password: string) => ({ is: 'credential', credential: { is: 'basic', username, password } });
const NONE = { is: 'credential', credential: { is: 'none' } };

test.each<[string, string, string, unknown]>([
  ['auth', config({ 'r.example': { auth: base64('u:p:q') } }), 'r.example', basic('u', 'p:q')],
  ['username and password', config({ 'r.example:5000': { username: 'u', password: 'p' } }), 'r.example:5000', basic('u', 'p')],
  ['auth wins', config({ 'r.example': { auth: base64('a:b'), username: 'u', password: 'p' } }), 'r.example', basic('a', 'b')],
  ['an address as key', config({ 'https://R.example/v2/': { username: 'u', password: 'p' } }), 'r.example', basic('u', 'p')],
  ['Docker Hub', config({ 'https://index.docker.io/v1/': { username: 'u', password: 'p' } }), 'docker.io', basic('u', 'p')],
  ['a token', config({ 'r.example': { registrytoken: 't' } }), 'r.example', { is: 'credential', credential: { is: 'bearer', token: 't' } }],
  ['another port', config({ 'r.example:5000': { username: 'u', password: 'p' } }), 'r.example', NONE],
  ['another host', config({ example: { username: 'u', password: 'p' } }), 'r.example', NONE],
  ['a pattern', config({ '*.example': { username: 'u', password: 'p' } }), 'r.example', NONE],
  ['an empty entry', config({ 'r.example': {} }), 'r.example', NONE],
])('%s', (_name, text, host, expected) => {
  expect(dockerLogin(text, host)).toEqual(expected);
});

test.each([
  'canary',
  '[]',
  '{"auths":[]}',
  config({ 'r.example': 'canary' }),
  config({ 'r.example': { auth: '*canary*' } }),
  config({ 'r.example': { auth: base64('canary') } }),
  config({ 'r.example': { auth: base64(':canary') } }),
  config({ 'r.example': { username: 'a:b', password: 'canary' } }),
  config({ 'r.example': { username: 'u', password: 'canary\r\nx-y: z' } }),
  config({ 'r.example': { identitytoken: 'canary' } }),
  config({ 'r.example': { username: 'u', password: 'canary' }, 'https://r.example': { username: 'u', password: 'canary' } }),
])('%s is refused, and no value is quoted', (text) => {
  const login = dockerLogin(text, 'r.example');
  expect(login.is).toBe('failed');
  expect(JSON.stringify(login)).not.toContain('canary');
});
