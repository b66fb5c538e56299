import { join } from 'node:path';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { Agent, fetch as undiciFetch } from 'undici';
import { expect, test } from 'vitest';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type OidcServer, startOidcServer } from '#deploy/local/oidc.ts';
import type { DemoUser } from '#deploy/local/oidc-settings.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const dir = useTemporaryDir();
const users: readonly DemoUser[] = [
  { id: 'alice', name: 'Alice', email: 'alice@demo.invalid', groups: ['team-a', 'everybody'] },
  { id: 'bob', name: 'Bob <script>', email: 'bob@demo.invalid', groups: [] },
];

type Setup = Readonly<{ server: OidcServer; agent: Agent; ca: string; [Symbol.asyncDispose](): Promise<void> }>;

async function open(idTokenSeconds?: number): Promise<Setup> {
  const authority = await openLocalAuthority(join(dir(), 'ca'), 'demo CA');
  const server = await startOidcServer({ authority, users, ...(idTokenSeconds === undefined ? {} : { idTokenSeconds }) });
  const agent = new Agent({ connect: { ca: authority.certificatePem } });
  const end = async (): Promise<void> => {
    await agent.destroy();
    await server.stop();
  };
  return { server, agent, ca: authority.certificatePem, [Symbol.asyncDispose]: end };
}

type Call = Readonly<{ method: string; headers: Record<string, string> | Headers; body?: unknown }>;

/** fetch that knows the demo authority, for libraries that take one. */
function fetchWith(agent: Agent): (url: string, call: Call) => Promise<Response> {
  return async (url, { method, headers, body }) => {
    const content = typeof body === 'string' || body instanceof URLSearchParams ? { body: body.toString() } : {};
    const answer = await undiciFetch(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      dispatcher: agent,
      redirect: 'manual',
      ...content,
    });
    return new Response(await answer.text(), { status: answer.status, headers: Object.fromEntries(answer.headers) });
  };
}

test('the code flow gives an ID token with groups that verifies against the published keys', async () => {
  await using setup = await open(120);
  const { server, agent } = setup;
  const tokens = await server.loginAs('alice');
  const keys = createRemoteJWKSet(new URL('/jwks', server.issuer), { [customFetch]: fetchWith(agent) });
  const { payload } = await jwtVerify(tokens.id_token, keys, { issuer: server.issuer, audience: 'weir-cli', algorithms: ['ES256'] });
  expect(payload).toMatchObject({ sub: 'alice', name: 'Alice', email: 'alice@demo.invalid', groups: ['team-a', 'everybody'] });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(120);
  expect(decodeJwt((await server.loginAs('bob')).id_token).groups).toEqual([]);
  await expect(server.loginAs('mallory')).rejects.toThrow(/no demo user mallory/);
});

test('a standard client refreshes once per refresh token, and an old one is refused', async () => {
  await using setup = await open();
  const { server, agent } = setup;
  const config = await client.discovery(new URL(server.issuer), server.clientId, undefined, client.None(), {
    [client.customFetch]: fetchWith(agent),
  });
  const first = await server.loginAs('alice');
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  expect(second.claims()?.sub).toBe('alice');
  expect(second.refresh_token).not.toBe(first.refresh_token);
  await expect(client.refreshTokenGrant(config, first.refresh_token)).rejects.toMatchObject({ error: 'invalid_grant' });
});

test('the device flow ends when the user has said yes', async () => {
  await using setup = await open();
  const { server, agent } = setup;
  const config = await client.discovery(new URL(server.issuer), server.clientId, undefined, client.None(), {
    [client.customFetch]: fetchWith(agent),
  });
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid profile email groups offline_access' });
  await server.approveDevice(device.user_code, 'bob');
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 });
  expect(tokens.claims()).toMatchObject({ sub: 'bob', name: 'Bob <script>' });
  expect(tokens.refresh_token).toBeTypeOf('string');
  await expect(server.approveDevice('WRONG-CODE', 'bob')).rejects.toThrow(/no device form|not approved/);
});

test('the login page says that it is a demo, and escapes what it shows', async () => {
  await using setup = await open();
  const { server, agent } = setup;
  const query = `client_id=weir-cli&response_type=code&redirect_uri=${encodeURIComponent('http://127.0.0.1:1/callback')}&scope=openid&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`;
  const first = await undiciFetch(`${server.issuer}/auth?${query}`, { dispatcher: agent, redirect: 'manual' });
  const cookie = first.headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ');
  const page = await undiciFetch(new URL(first.headers.get('location') ?? '', server.issuer), { dispatcher: agent, headers: { cookie } });
  const html = await page.text();
  expect(html).toContain('not for production');
  expect(html).toContain('Bob &lt;script&gt;');
  const elsewhere = await undiciFetch(`${server.issuer}/auth?${query.replace('127.0.0.1', 'evil.invalid')}`, {
    dispatcher: agent,
    redirect: 'manual',
  });
  expect(elsewhere.status).toBe(400);
});

test('any claims can be signed with its key', async () => {
  await using setup = await open();
  const { server, agent } = setup;
  const keys = createRemoteJWKSet(new URL('/jwks', server.issuer), { [customFetch]: fetchWith(agent) });
  const token = await server.signToken({ iss: 'https://elsewhere.invalid', aud: 'other', sub: 'alice', exp: 1 });
  await expect(jwtVerify(token, keys)).rejects.toMatchObject({ code: 'ERR_JWT_EXPIRED' });
  const good = await server.signToken({ iss: server.issuer, aud: 'other', sub: 'x', exp: Math.floor(Date.now() / 1_000) + 60 });
  await expect(jwtVerify(good, keys, { audience: 'weir-cli' })).rejects.toMatchObject({ claim: 'aud' });
});
