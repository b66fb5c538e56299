import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProof, isListed } from './proof.ts';

const token = Buffer.from('s3cret-token-of-thirty-two-chars');
const body = Buffer.from('{"ref":"refs/heads/main"}');
const hmac = (hash: string, key: Uint8Array = token, of: Uint8Array = body): string =>
  `${hash}=${createHmac(hash, key).update(of).digest('hex')}`;
const genuine = (event: string | null = null, id: string | null = null) => ({ is: 'genuine', delivery: { event, id } });

describe('genuine calls', () => {
  it.each([
    ['generic, nothing but the path', { type: 'generic' as const, headers: {} }, genuine()],
    ['generic-hmac with SHA-256', { type: 'generic-hmac' as const, headers: { 'x-signature': hmac('sha256') } }, genuine()],
    ['generic-hmac with SHA-512', { type: 'generic-hmac' as const, headers: { 'x-signature': hmac('sha512') } }, genuine()],
    [
      'github',
      { type: 'github' as const, headers: { 'x-hub-signature-256': hmac('sha256'), 'x-github-event': 'push', 'x-github-delivery': 'd-1' } },
      genuine('push', 'd-1'),
    ],
    [
      'github with the older header',
      { type: 'github' as const, headers: { 'x-hub-signature': hmac('sha1'), 'x-github-event': 'push' } },
      genuine('push'),
    ],
    [
      'gitlab',
      {
        type: 'gitlab' as const,
        headers: { 'x-gitlab-token': token.toString(), 'x-gitlab-event': 'Push Hook', 'x-gitlab-event-uuid': 'u-1' },
      },
      genuine('Push Hook', 'u-1'),
    ],
  ])('%s', (_what, input, expected) => expect(checkProof({ ...input, body, token })).toEqual(expected));

  it('github as a form', () => {
    const form = Buffer.from(`payload=${encodeURIComponent(body.toString())}`);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature-256': hmac('sha256', token, form) };
    expect(checkProof({ type: 'github', headers, body: form, token }).is).toBe('genuine');
  });
});

describe('calls that prove nothing', () => {
  const other = Buffer.from('another-token');
  it.each([
    ['generic-hmac without a signature', { type: 'generic-hmac' as const, headers: {} }],
    ['generic-hmac keyed by another token', { type: 'generic-hmac' as const, headers: { 'x-signature': hmac('sha256', other) } }],
    [
      'generic-hmac of another body',
      { type: 'generic-hmac' as const, headers: { 'x-signature': hmac('sha256', token, Buffer.from('{}')) } },
    ],
    ['generic-hmac with a hash of no kind', { type: 'generic-hmac' as const, headers: { 'x-signature': hmac('md5') } }],
    ['generic-hmac without the name of the hash', { type: 'generic-hmac' as const, headers: { 'x-signature': hmac('sha256').slice(7) } }],
    ['generic-hmac cut short', { type: 'generic-hmac' as const, headers: { 'x-signature': hmac('sha256').slice(0, -2) } }],
    ['generic-hmac with an empty digest', { type: 'generic-hmac' as const, headers: { 'x-signature': 'sha256=' } }],
    ['generic-hmac with text after the digest', { type: 'generic-hmac' as const, headers: { 'x-signature': `${hmac('sha256')}zz` } }],
    ['generic-hmac twice', { type: 'generic-hmac' as const, headers: { 'x-signature': `${hmac('sha256')}, ${hmac('sha256')}` } }],
    ['github with only the plain token', { type: 'github' as const, headers: { 'x-hub-signature-256': token.toString() } }],
    ['gitlab without a token', { type: 'gitlab' as const, headers: {} }],
    ['gitlab with a beginning of it', { type: 'gitlab' as const, headers: { 'x-gitlab-token': token.toString().slice(0, 8) } }],
    ['gitlab with another case', { type: 'gitlab' as const, headers: { 'x-gitlab-token': token.toString().toUpperCase() } }],
  ])('%s', (_what, input) => expect(checkProof({ ...input, body, token }).is).toBe('refused'));

  it.each(['', 'x', '[1]', '"text"', 'null', '{', `${'['.repeat(100_000)}`])('a github body that is no object: %.20s', (text) => {
    const bytes = Buffer.from(text);
    expect(checkProof({ type: 'github', headers: { 'x-hub-signature-256': hmac('sha256', token, bytes) }, body: bytes, token }).is).toBe(
      'refused',
    );
  });

  it('nothing that can be sent makes it throw', () => {
    const types = fc.constantFrom('generic' as const, 'generic-hmac' as const, 'github' as const, 'gitlab' as const);
    const headers = fc.dictionary(
      fc.constantFrom('x-signature', 'x-hub-signature', 'x-hub-signature-256', 'x-gitlab-token', 'content-type', 'x-github-event'),
      fc.string(),
    );
    fc.assert(
      fc.property(types, headers, fc.uint8Array({ maxLength: 200 }), (type, sent, bytes) => {
        const { is } = checkProof({ type, headers: sent, body: bytes, token });
        expect(is === 'genuine').toBe(type === 'generic');
      }),
      { numRuns: 1_000, seed: 7 },
    );
  });
});

describe('events', () => {
  it.each([
    ['an empty list lets all through', 'github' as const, [], null, true],
    ['case does not count', 'github' as const, ['Push'], 'push', true],
    ['another event', 'github' as const, ['push'], 'ping', false],
    ['no event named', 'gitlab' as const, ['Push Hook'], null, false],
    ['no pattern: a dot is a dot', 'github' as const, ['p.sh', '.*'], 'push', false],
    ['types without events are not filtered', 'generic-hmac' as const, ['push'], null, true],
  ])('%s', (_what, type, events, event, expected) => expect(isListed(type, events, event)).toBe(expected));
});
