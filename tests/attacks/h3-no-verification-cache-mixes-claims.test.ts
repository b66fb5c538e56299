import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goodClaims, newKey, type SigningIssuer, sign, startSigningIssuer, type TestKey } from '#tests/attacks/signing-issuer.ts';

let provider: SigningIssuer;
let key: TestKey;
beforeAll(async () => {
  provider = await startSigningIssuer();
  key = await newKey('ES256', 'key-1');
  provider.publish([key.publicJwk]);
});
afterAll(() => provider.close());

describe('H3: what one token says is never answered for another', () => {
  it('1,000 interleaved verifications of 50 tokens', async () => {
    const verifier = provider.verifier();
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        sign(key, goodClaims(provider.issuer, provider.clock.nowMs(), { sub: `user-${at}`, groups: [`g${at}`] })),
      ),
    );
    const runs = Array.from({ length: 1_000 }, (_, at) => (at * 7) % 50);
    const answers = await Promise.all(runs.map(async (at) => ({ at, identity: await verifier.verify(tokens[at] ?? '') })));
    for (const { at, identity } of answers) expect([identity.subject, ...identity.groups]).toEqual([`user-${at}`, `g${at}`]);
    expect(provider.keySetReads()).toBe(1);
  });

  it('a token with the header and payload of a good one and a bad signature is refused right after it', async () => {
    const verifier = provider.verifier();
    const token = await sign(key, goodClaims(provider.issuer, provider.clock.nowMs()));
    await verifier.verify(token);
    await expect(verifier.verify(`${token.slice(0, -4)}AAAA`)).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('keys of the issuer', () => {
  it('a new key is found when a token names it, a withdrawn one ends with the cache, and invented ids do not flood the issuer', async () => {
    const verifier = provider.verifier();
    const claims = () => goodClaims(provider.issuer, provider.clock.nowMs());
    await verifier.verify(await sign(key, claims()));
    const next = await newKey('ES256', 'key-2');
    provider.publish([next.publicJwk]);
    provider.clock.advance(11_000);
    expect((await verifier.verify(await sign(next, claims()))).subject).toBe('user-1');
    await expect(verifier.verify(await sign(key, claims()))).rejects.toMatchObject({ code: 'unauthorized' });
    const before = provider.keySetReads();
    for (let at = 0; at < 50; at += 1) await verifier.verify(await sign(next, claims(), { kid: `made-up-${at}` })).catch(() => undefined);
    expect(provider.keySetReads()).toBe(before);
  });

  it('an issuer that is down: known keys count for an hour, then 503; never a guess', async () => {
    provider.publish([key.publicJwk]);
    const verifier = provider.verifier();
    const claims = () => goodClaims(provider.issuer, provider.clock.nowMs());
    await verifier.verify(await sign(key, claims()));
    provider.breakDown(true);
    provider.clock.advance(30 * 60_000);
    expect((await verifier.verify(await sign(key, claims()))).subject).toBe('user-1');
    provider.clock.advance(31 * 60_000);
    await expect(verifier.verify(await sign(key, claims()))).rejects.toMatchObject({ code: 'unavailable' });
    provider.breakDown(false);
    provider.clock.advance(11_000);
    expect((await verifier.verify(await sign(key, claims()))).subject).toBe('user-1');
  });

  it('metadata of another issuer, and keys over plain http, are refused', async () => {
    const token = await sign(key, goodClaims(provider.issuer, provider.clock.nowMs()));
    for (const change of [
      { issuer: 'https://evil.test' },
      { issuer: `${provider.issuer}/` },
      { jwks_uri: provider.issuer.replace('https:', 'http:') },
      { jwks_uri: undefined },
    ]) {
      provider.serveMetadata(change);
      await expect(provider.verifier().verify(token)).rejects.toMatchObject({ code: 'unavailable' });
    }
    provider.serveMetadata({});
    expect((await provider.verifier().verify(token)).subject).toBe('user-1');
  });
});
