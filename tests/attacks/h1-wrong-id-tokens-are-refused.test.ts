import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  audience,
  goodClaims,
  newKey,
  type SigningIssuer,
  segment,
  sign,
  startSigningIssuer,
  type TestKey,
} from '#tests/attacks/signing-issuer.ts';

let provider: SigningIssuer;
let key: TestKey;
let stranger: TestKey;

beforeAll(async () => {
  provider = await startSigningIssuer();
  key = await newKey('RS256', 'key-1');
  stranger = await newKey('RS256', 'key-1');
  provider.publish([key.publicJwk]);
});
afterAll(() => provider.close());

const seconds = (): number => Math.floor(provider.clock.nowMs() / 1_000);
const claims = (change: Readonly<Record<string, unknown>> = {}) => goodClaims(provider.issuer, provider.clock.nowMs(), change);
const signed = (change: Readonly<Record<string, unknown>>) => () => sign(key, claims(change));

/** Each row: what is wrong, and how the token is made. Signed by the right key unless it says otherwise. */
const wrong: readonly (readonly [string, () => Promise<string> | string])[] = [
  ['no issuer', signed({ iss: undefined })],
  ['another issuer', signed({ iss: 'https://evil.test' })],
  ['the issuer with a slash', () => sign(key, claims({ iss: `${provider.issuer}/` }))],
  ['the issuer in capitals', () => sign(key, claims({ iss: provider.issuer.toUpperCase() }))],
  ['the issuer in a list', () => sign(key, claims({ iss: [provider.issuer] }))],
  ['no audience', signed({ aud: undefined })],
  ['another audience', signed({ aud: 'other-app' })],
  ['an empty audience list', signed({ aud: [] })],
  ['the audience as a part of another', signed({ aud: `${audience}-2` })],
  ['an unknown audience beside ours', signed({ aud: [audience, 'other-app'], azp: audience })],
  ['two audiences without azp', signed({ aud: [audience, 'weir-console'] })],
  ['azp of another client', signed({ azp: 'other-app' })],
  ['azp that is no text', signed({ azp: 7 })],
  ['no subject', signed({ sub: undefined })],
  ['an empty subject', signed({ sub: '' })],
  ['a subject that is a number', signed({ sub: 42 })],
  ['a subject of 256 characters', signed({ sub: 'x'.repeat(256) })],
  ['a subject with a line break', signed({ sub: 'user\nadmin' })],
  ['a subject that names a service account', signed({ sub: 'system:serviceaccount:acme:ci' })],
  ['no expiry', signed({ exp: undefined })],
  ['expired two minutes ago', () => sign(key, claims({ iat: seconds() - 600, exp: seconds() - 120 }))],
  ['an expiry that is text', () => sign(key, claims({ exp: String(seconds() + 600) }))],
  ['an expiry before it was issued', () => sign(key, claims({ iat: seconds() + 30, exp: seconds() + 20 }))],
  ['no time of issue', signed({ iat: undefined })],
  ['issued two minutes from now', () => sign(key, claims({ iat: seconds() + 120, exp: seconds() + 600 }))],
  ['a time of issue that is text', signed({ iat: 'now' })],
  ['not valid before two minutes from now', () => sign(key, claims({ nbf: seconds() + 120 }))],
  ['a not-before that is text', signed({ nbf: 'soon' })],
  ['groups that are an object', signed({ groups: { admin: true } })],
  ['groups that hold a number', signed({ groups: ['acme-dev', 1] })],
  ['groups without end', signed({ groups: Array.from({ length: 1_001 }, (_, at) => `g${at}`) })],
  ['signed by another key with the same id', () => sign(stranger, claims())],
  ['signed by a key that the header brings', () => sign(stranger, claims(), { jwk: stranger.publicJwk })],
  ['a key set that the header names', () => sign(stranger, claims(), { jku: 'https://evil.test/jwks' })],
  ['a key id that nobody has', () => sign(key, claims(), { kid: 'key-2' })],
  ['a key id that is a path', () => sign(stranger, claims(), { kid: '../../dev/null' })],
  ['an access token', () => sign(key, claims(), { typ: 'at+jwt' })],
  ['a critical header', () => withHeader({ alg: 'RS256', kid: 'key-1', crit: ['b64'], b64: false })],
  ['a changed payload', async () => swapPayload(await sign(key, claims()))],
  ['a changed signature', async () => (await sign(key, claims())).replace(/..$/, 'AA')],
  ['no signature', async () => `${(await sign(key, claims())).split('.').slice(0, 2).join('.')}.`],
  ['five parts', async () => `${await sign(key, claims())}.a.b`],
  ['longer than 16 KiB', signed({ filler: 'x'.repeat(20_000) })],
  ['no token at all', () => 'abc'],
];

function withHeader(header: unknown): string {
  return `${segment(header)}.${segment(claims())}.${segment('signature')}`;
}

function swapPayload(token: string): string {
  const [header, , signature] = token.split('.');
  return `${header}.${segment(claims({ sub: 'somebody-else' }))}.${signature}`;
}

describe('H1: a token that lacks or bends a claim is nobody’s', () => {
  it('has at least 40 wrong tokens', () => expect(wrong.length).toBeGreaterThanOrEqual(40));

  it.each(wrong)('%s', async (_what, make) => {
    const error = await provider
      .verifier()
      .verify(await make())
      .then(
        () => null,
        (refused: unknown) => refused,
      );
    expect(error).toMatchObject({ code: 'unauthorized', message: 'Unauthorized' });
  });

  it('benign twin: the same token without the fault names its subject, name and groups', async () => {
    const identity = await provider.verifier().verify(await sign(key, claims()));
    expect(identity).toEqual({
      issuer: provider.issuer,
      subject: 'user-1',
      name: 'jane@acme.test',
      groups: ['acme-dev'],
      expiresAtMs: (seconds() + 600) * 1_000,
    });
  });

  it('benign twins: the skew of a minute, two known audiences with azp, and no groups', async () => {
    const verifier = provider.verifier();
    const late = await sign(key, claims({ iat: seconds() - 600, exp: seconds() - 30 }));
    const early = await sign(key, claims({ iat: seconds() + 30, nbf: seconds() + 30, exp: seconds() + 90 }));
    const both = await sign(key, claims({ aud: [audience, 'weir-console'], azp: audience, groups: undefined }));
    for (const token of [late, early, both]) expect((await verifier.verify(token)).subject).toBe('user-1');
    expect((await verifier.verify(both)).groups).toEqual([]);
  });

  it('does not take an unverified address for a name', async () => {
    const identity = await provider
      .verifier()
      .verify(await sign(key, claims({ email: 'root@acme.test', email_verified: false, preferred_username: 'mallory' })));
    expect(identity.name).toBe('mallory');
  });
});
