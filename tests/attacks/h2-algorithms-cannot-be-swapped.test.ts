import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OidcAlgorithm, oidcAlgorithms } from '#adapters/oidc/verify.ts';
import { goodClaims, newKey, type SigningIssuer, segment, sign, startSigningIssuer, type TestKey } from '#tests/attacks/signing-issuer.ts';

const algorithms: readonly OidcAlgorithm[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];
let provider: SigningIssuer;
const keys = new Map<string, TestKey>();

beforeAll(async () => {
  provider = await startSigningIssuer();
  for (const alg of algorithms) keys.set(alg, await newKey(alg, `key-${alg}`));
  provider.publish([...keys.values()].map((one) => one.publicJwk));
});
afterAll(() => provider.close());

const claims = () => goodClaims(provider.issuer, provider.clock.nowMs());
const keyOf = (alg: string): TestKey => keys.get(alg)!;
const refused = { code: 'unauthorized', message: 'Unauthorized' };

function hmacToken(alg: 'HS256' | 'HS384' | 'HS512', kid: string, secret: string | Uint8Array): string {
  const head = `${segment({ alg, kid, typ: 'JWT' })}.${segment(claims())}`;
  return `${head}.${createHmac(alg.replace('HS', 'sha'), secret).update(head).digest('base64url')}`;
}

describe('H2: the algorithm comes from our list and the key, never from the token', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', ''])('alg %j with an empty or any signature', async (alg) => {
    const head = `${segment({ alg, typ: 'JWT' })}.${segment(claims())}`;
    for (const token of [`${head}.`, `${head}.AAAA`, head]) await expect(provider.verifier().verify(token)).rejects.toMatchObject(refused);
  });

  it.each(['HS256', 'HS384', 'HS512'] as const)('%s keyed with each text of each public key', async (alg) => {
    for (const key of keys.values()) {
      const imported = await importJWK(key.publicJwk, key.alg, { extractable: true });
      const pem = imported instanceof Uint8Array ? '' : await exportSPKI(imported);
      const texts = [pem, pem.trim(), `${pem.trim()}\n`, JSON.stringify(key.publicJwk), key.publicJwk.n ?? key.publicJwk.x ?? '', ''];
      for (const text of texts) await expect(provider.verifier().verify(hmacToken(alg, key.kid, text))).rejects.toMatchObject(refused);
    }
  });

  const swaps = algorithms.flatMap((real) => oidcAlgorithms.filter((said) => said !== real).map((said) => [real, said] as const));
  it.each(swaps)('signed by %s, said to be %s', async (real, said) => {
    const [, payload, signature] = (await sign(keyOf(real), claims())).split('.');
    for (const kid of [`key-${real}`, `key-${said}`, undefined]) {
      const token = `${segment({ alg: said, ...(kid === undefined ? {} : { kid }), typ: 'JWT' })}.${payload}.${signature}`;
      await expect(provider.verifier().verify(token)).rejects.toMatchObject(refused);
    }
  });

  it('an algorithm that is not on this issuer’s list is refused though its key is published', async () => {
    const token = await sign(keyOf('ES256'), claims());
    await expect(provider.verifier(['RS256']).verify(token)).rejects.toMatchObject(refused);
  });

  it('a symmetric key in the key set is not used', async () => {
    const secret = Buffer.from('0123456789abcdef0123456789abcdef');
    provider.publish([
      ...[...keys.values()].map((one) => one.publicJwk),
      { kty: 'oct', kid: 'shared', alg: 'HS256', k: secret.toString('base64url') },
    ]);
    await expect(provider.verifier().verify(hmacToken('HS256', 'shared', secret))).rejects.toMatchObject(refused);
  });

  it.each(algorithms)('benign twin: %s signed and said', async (alg) => {
    const identity = await provider.verifier().verify(await sign(keyOf(alg), claims()));
    expect(identity.subject).toBe('user-1');
  });
});
