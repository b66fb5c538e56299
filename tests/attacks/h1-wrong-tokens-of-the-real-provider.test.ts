import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api.ts';

const api = useApi();
const path = '/api/v1/namespaces/acme/configmaps';
const seconds = (): number => Math.floor(api.clock.nowMs() / 1_000);

function claims(change: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const all: Record<string, unknown> = {
    iss: api.oidc.issuer,
    sub: 'admin',
    aud: 'weir-cli',
    iat: seconds(),
    exp: seconds() + 600,
    ...change,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

const wrong: readonly (readonly [string, () => Readonly<Record<string, unknown>>])[] = [
  ['no issuer', () => ({ iss: undefined })],
  ['another issuer', () => ({ iss: 'https://127.0.0.1:1' })],
  ['no audience', () => ({ aud: undefined })],
  ['another audience', () => ({ aud: 'other' })],
  ['a further audience', () => ({ aud: ['weir-cli', 'other'], azp: 'weir-cli' })],
  ['azp of another', () => ({ azp: 'other' })],
  ['no subject', () => ({ sub: undefined })],
  ['a service account’s name', () => ({ sub: 'system:serviceaccount:acme:ci' })],
  ['no expiry', () => ({ exp: undefined })],
  ['expired', () => ({ iat: seconds() - 700, exp: seconds() - 100 })],
  ['no time of issue', () => ({ iat: undefined })],
  ['from the future', () => ({ iat: seconds() + 300 })],
  ['not valid yet', () => ({ nbf: seconds() + 300 })],
  ['groups that are no list', () => ({ groups: 'platform' })],
];

describe('H1 on the running API, signed with the real provider’s own key', () => {
  it.each(wrong)('%s: 401', async (_what, change) => {
    const reply = await api.ask(null, path, { token: await api.oidc.signToken(claims(change())) });
    expect([reply.status, reply.json['message']]).toEqual([401, 'Unauthorized']);
  });

  it.each([
    ['an access token’s type', { typ: 'at+jwt' }],
    ['a key id that nobody has', { kid: 'other' }],
  ])('%s: 401', async (_what, header) => {
    expect((await api.ask(null, path, { token: await api.oidc.signToken(claims(), header) })).status).toBe(401);
  });

  it('benign twins: the same token without the fault, and one that the provider gave after a login', async () => {
    expect((await api.ask(null, path, { token: await api.oidc.signToken(claims()) })).status).toBe(200);
    expect((await api.ask('admin', path)).status).toBe(200);
  });

  it('an access token of the same login is no ID token', async () => {
    const { access_token } = await api.oidc.loginAs('admin');
    expect((await api.ask(null, path, { token: access_token })).status).toBe(401);
  });

  it('a group in the token counts only as the issuer signed it; the e-mail never joins accounts (H7)', async () => {
    expect(
      (
        await api.ask(null, path, {
          token: await api.oidc.signToken(
            claims({ sub: 'somebody', email: 'admin@acme.test', email_verified: true, preferred_username: 'admin' }),
          ),
        })
      ).status,
    ).toBe(403);
    expect(
      (await api.ask(null, path, { token: await api.oidc.signToken(claims({ sub: 'somebody', groups: ['acme-editors'] })) })).status,
    ).toBe(200);
  });

  it('no token text is in the log', async () => {
    const token = await api.oidc.signToken(claims({ aud: 'other' }));
    await api.ask(null, path, { token });
    expect(api.logged()).toContain('token refused');
    for (const part of token.split('.')) expect(api.logged()).not.toContain(part);
  });
});
