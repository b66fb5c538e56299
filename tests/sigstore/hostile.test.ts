import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { createSigstore } from '#adapters/sigstore/sigstore.ts';
import { identityTest } from '#core/cosign/identity.ts';
import { openJudge } from '#core/cosign/open-judge.ts';
import { base64, openSigstore, type TestSigstore } from './authority.ts';
import { bundleOfParts, bundleParts, keylessBundle } from './signatures.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const parts: { sigstore?: TestSigstore } = {};
beforeAll(async () => {
  parts.sigstore = await openSigstore();
});
function own(): TestSigstore {
  if (parts.sigstore === undefined) throw new Error('not started');
  return parts.sigstore;
}
function rootOf(json: Buffer = own().trustedRoot()) {
  const read = createSigstore(null).root(json);
  if (read.is === 'invalid') throw new Error(read.message);
  return read.root;
}
const wanted = (issuer: string, subject: string) => identityTest(createPatterns(), [{ issuer, subject }]);

const ISSUER = 'https://accounts.example';
const SUBJECT = 'https://github.example/acme/app/release.yaml@refs/heads/main';
test.each<[string, string]>([
  [ISSUER, `${SUBJECT}x`],
  [ISSUER, `x${SUBJECT}`],
  [ISSUER, `${SUBJECT}\n`],
  [ISSUER, `x\n${SUBJECT}`],
  [ISSUER, SUBJECT.replace('acme', 'acme-evil')],
  [ISSUER, SUBJECT.replace('acme', 'evil/acme')],
  [ISSUER, SUBJECT.replace('https', 'http')],
  [ISSUER, SUBJECT.toUpperCase()],
  [ISSUER, ''],
  [`${ISSUER}.evil.example`, SUBJECT],
  [`https://evil.example/?${ISSUER}`, SUBJECT],
  [`${ISSUER}/`, SUBJECT],
  ['', SUBJECT],
])('J4: %s with %s is another identity', (issuer, subject) => {
  for (const patterns of [
    [ISSUER, SUBJECT],
    ['https://accounts\\.example', 'https://github\\.example/acme/app/.*@refs/heads/main'],
    ['^https://accounts.example$', '^https://github.example/acme/app/release.yaml@refs/heads/main$'],
    ['(?m)^https://accounts.example$', `(?m)^${SUBJECT}$`],
    [`${ISSUER}|never`, `never|${SUBJECT}`],
  ] as const) {
    const identities = wanted(patterns[0], patterns[1]);
    if (identities.is === 'failed') throw new Error(identities.message);
    expect(identities.isWanted({ issuer: ISSUER, subject: SUBJECT })).toBe(true);
    expect(identities.isWanted({ issuer, subject })).toBe(false);
  }
});

test.each(['', 'a)|(b', '(', '\\', '(?=a)', '[', 'a'.repeat(1_100)])('J4: the pattern %j is refused, with its place', (pattern) => {
  expect(wanted(ISSUER, pattern)).toMatchObject({ is: 'failed', message: expect.stringContaining('matchOIDCIdentity[0].subject') });
});

test('J4: below the operator’s root nobody is trusted for want of an identity', async () => {
  const sigstore = createSigstore({ file: 'root.json', json: own().trustedRoot() });
  const ctx = { sigstore, patterns: createPatterns(), secrets: { read: async () => null } };
  for (const none of [{}, { matchOIDCIdentity: [] }])
    expect(await openJudge(ctx, 'team', none)).toMatchObject({ is: 'failed', message: expect.stringContaining('matchOIDCIdentity') });
  expect(await openJudge(ctx, 'team', { matchOIDCIdentity: [{ issuer: ISSUER, subject: SUBJECT }] })).toMatchObject({ is: 'judge' });
});

test('J4: a subject in other letters than ASCII is not read as its likeness', async () => {
  // 0xE1 without its highest bit is `a`.
  const by = await own().signer({ issuer: 'https://\u00e1ccounts.example' });
  expect(rootOf().bundle(keylessBundle(own(), by, { digest }))).toMatchObject({ is: 'not', why: expect.stringContaining('no identity') });
});

test('J2: a bundle with a field that is missing, of another type or spoilt refuses, and throws nothing', async () => {
  const good: Record<string, Record<string, unknown>> = JSON.parse(keylessBundle(own(), await own().signer(), { digest }).toString());
  expect(rootOf().bundle(Buffer.from(JSON.stringify(good)))).toMatchObject({ is: 'signed' });
  const paths = (value: unknown, at: readonly string[] = []): readonly (readonly string[])[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => [[...at, key], ...paths(inner, [...at, key])])
      : [];
  let refused = 0;
  // What does not take part in the proof, values that are computed again, and indexes, of which none means 0.
  const idle =
    /keyid|timestampVerificationData|rootHash|treeSize|inclusionProof\.(?:hashes|logIndex)|^verificationMaterial\.tlogEntries\.0\.logIndex/;
  for (const path of paths(good).filter((one) => !idle.test(one.join('.'))))
    for (const value of [undefined, null, 7, 'AAAA', [], {}]) {
      const spoilt = structuredClone(good);
      let place: Record<string, unknown> = spoilt;
      for (const key of path.slice(0, -1)) place = place[key] as Record<string, unknown>;
      place[path.at(-1) ?? ''] = value;
      const judged = rootOf().bundle(Buffer.from(JSON.stringify(spoilt)));
      expect.soft(judged.is, `${path.join('.')} = ${JSON.stringify(value)}`).toBe('not');
      refused += 1;
    }
  expect(refused).toBeGreaterThan(60);
  for (const text of ['', 'null', '[]', '{', '{"mediaType":7}', '\u0000', '['.repeat(100_000)])
    expect(rootOf().bundle(Buffer.from(text))).toMatchObject({ is: 'not' });
});

test('J7: more entries, hashes or bytes than belong into a bundle refuse it', async () => {
  const mine = bundleParts(own(), await own().signer(), { digest });
  const [entry] = mine.entries;
  const many = Array.from({ length: 1_000 }, () => entry ?? {});
  expect(rootOf().bundle(bundleOfParts({ ...mine, entries: many }))).toMatchObject({ is: 'not' });
  const proof = { ...Object(entry?.['inclusionProof']), hashes: Array.from({ length: 5_000 }, () => base64(Buffer.alloc(32))) };
  expect(rootOf().bundle(bundleOfParts({ ...mine, entries: [{ ...entry, inclusionProof: proof }] }))).toMatchObject({ is: 'not' });
  const nested = base64(Buffer.alloc(15_000, Buffer.from([0x30, 0x80])));
  expect(rootOf().bundle(bundleOfParts({ ...mine, certificate: nested }))).toMatchObject({ is: 'not' });
});

type Ca = { certChain: { certificates: { rawBytes: string }[] } };
const caOf = (root: Record<string, unknown>): Ca => (root['certificateAuthorities'] as Ca[])[0] as Ca;
test.each<[string, (root: Record<string, unknown>) => void, string]>([
  ['no authority', (root) => void (root['certificateAuthorities'] = []), 'names no certificate authority'],
  ['no log and no clock', (root) => void (root['tlogs'] = []), 'neither a transparency log nor'],
  ['a chain without its root', (root) => void caOf(root).certChain.certificates.pop(), 'no chain'],
  ['a chain turned round', (root) => void caOf(root).certChain.certificates.reverse(), 'no chain'],
  [
    'one certificate twice',
    (root) =>
      void caOf(root).certChain.certificates.unshift({
        ...caOf(root).certChain.certificates[0],
        rawBytes: caOf(root).certChain.certificates[0]?.rawBytes ?? '',
      }),
    'no chain',
  ],
  ['bytes for a certificate', (root) => void (caOf(root).certChain.certificates[0] = { rawBytes: 'AAAA' }), 'no chain'],
  ['a log without a key', (root) => void (root['tlogs'] = [{ baseUrl: 'https://x' }]), 'cannot be read'],
  ['too many logs', (root) => void (root['ctlogs'] = Array.from({ length: 40 }, () => ({}))), 'more than 32'],
])('a root with %s is none', (_name, edit, words) => {
  expect(createSigstore(null).root(own().trustedRoot(edit))).toEqual({ is: 'invalid', message: expect.stringContaining(words) });
});

test('a root that is no JSON, or too large, is none; of the operator it fails the start', () => {
  for (const json of [Buffer.from('canary'), Buffer.from('[]'), Buffer.alloc(2_000_000, ' ')]) {
    const read = createSigstore(null).root(json);
    expect(read).toMatchObject({ is: 'invalid' });
    expect(JSON.stringify(read)).not.toContain('canary');
  }
  expect(() => createSigstore({ file: 'root.json', json: Buffer.from('{}') })).toThrow(/root.json \(WEIR_SIGSTORE_TRUSTED_ROOT\) names no/);
});

test('Ed25519ph is verified as Go signs it, which cosign is written in', () => {
  const sigstore = createSigstore(null);
  // Seed 00 01 … 1f, message abc, crypto/ed25519 with Options{Hash: crypto.SHA512}.
  const key = createPublicKey({
    key: Buffer.from('MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=', 'base64'),
    format: 'der',
    type: 'spki',
  });
  const signature = Buffer.from('oqw2i1UyYuwWxDN8Ny2H91xVx3nuPECZnpxwc81JPTWlDbICjQ94bekUmnZCy7EUFlmVE3w7XHUKj6HUcSZ0AA==', 'base64');
  expect(sigstore.isPrehashedBy(key, Buffer.from('abc'), signature)).toBe(true);
  expect(sigstore.isPrehashedBy(key, Buffer.from('abd'), signature)).toBe(false);
  for (const at of [0, 31, 32, 63]) {
    const spoilt = Buffer.from(signature);
    spoilt[at] = (spoilt[at] ?? 0) ^ 1;
    expect(sigstore.isPrehashedBy(key, Buffer.from('abc'), spoilt)).toBe(false);
  }
  expect(sigstore.isPrehashedBy(key, Buffer.from('abc'), signature.subarray(1))).toBe(false);
  expect(sigstore.isPrehashedBy(generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey, Buffer.from('abc'), signature)).toBe(false);
});
