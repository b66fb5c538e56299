import 'reflect-metadata';
import { ExtendedKeyUsage } from '@peculiar/x509';
import { beforeAll, expect, test } from 'vitest';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { createSigstore } from '#adapters/sigstore/sigstore.ts';
import { identityTest, type WantedIdentity } from '#core/cosign/identity.ts';
import { type Judge, keylessJudge } from '#core/cosign/judge.ts';
import { otherDigest } from '#tests/oci-repository/sign.ts';
import { ISSUER, openSigstore, RELEASER, type TestSigstore } from './authority.ts';
import { bundleOfParts, bundleParts, keylessBundle, keylessLayer } from './signatures.ts';

const MINUTE = 60_000;
const digest = `sha256:${'a'.repeat(64)}`;
const parts: { sigstore?: TestSigstore } = {};
beforeAll(async () => {
  parts.sigstore = await openSigstore();
});
function own(): TestSigstore {
  if (parts.sigstore === undefined) throw new Error('not started');
  return parts.sigstore;
}

function judge(json: Buffer = own().trustedRoot(), wanted: readonly WantedIdentity[] = []): Judge {
  const read = createSigstore(null).root(json);
  if (read.is === 'invalid') throw new Error(read.message);
  const identities = identityTest(createPatterns(), wanted);
  if (identities.is === 'failed') throw new Error(identities.message);
  return keylessJudge(read.root, identities.isWanted);
}
const exactly = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

test('a bundle of an identity is its signature, and says whose', async () => {
  const by = await own().signer();
  const bundle = keylessBundle(own(), by, { digest });
  const signed = { is: 'signed', by: `identity ${RELEASER} of issuer ${ISSUER}` };
  expect(judge().bundle(bundle, digest)).toEqual(signed);
  expect(judge(own().trustedRoot(), [{ issuer: exactly(ISSUER), subject: exactly(RELEASER) }]).bundle(bundle, digest)).toEqual(signed);
  expect(judge().bundle(bundle, otherDigest)).toEqual({ is: 'not', why: 'it is for another digest' });
  const attestation = keylessBundle(own(), by, { digest, predicateType: 'https://slsa.dev/provenance/v1' });
  expect(judge().bundle(attestation, digest)).toMatchObject({ is: 'not', why: expect.stringContaining('attestation') });
});

test('the older layout below a tag counts as well, for an e-mail address too', async () => {
  const by = await own().signer({ subject: { type: 'email', value: 'release@acme.example' } });
  const { bytes, annotations } = keylessLayer(own(), by, digest);
  expect(judge().simple(bytes, annotations, digest)).toEqual({ is: 'signed', by: `identity release@acme.example of issuer ${ISSUER}` });
  expect(judge().simple(bytes, annotations, otherDigest)).toMatchObject({ is: 'not' });
  expect(judge().simple(Buffer.concat([bytes, Buffer.from(' ')]), annotations, digest)).toMatchObject({ is: 'not' });
  for (const name of ['dev.sigstore.cosign/certificate', 'dev.sigstore.cosign/bundle', 'dev.cosignproject.cosign/signature']) {
    const less = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== name));
    expect(judge().simple(bytes, less, digest)).toMatchObject({ is: 'not' });
  }
});

test('another authority, or another log, with the same names is a stranger', async () => {
  const stranger = await openSigstore();
  const by = await stranger.signer();
  expect(judge().bundle(keylessBundle(stranger, by, { digest }), digest)).toMatchObject({ is: 'not' });
  expect(judge(stranger.trustedRoot()).bundle(keylessBundle(stranger, by, { digest }), digest)).toMatchObject({ is: 'signed' });
  // Our authority's certificate in their log.
  expect(judge().bundle(keylessBundle(stranger, await own().signer(), { digest }), digest)).toMatchObject({ is: 'not' });
});

test('J1: the proof of another entry is none', async () => {
  const [by, other] = [await own().signer(), await own().signer()];
  const mine = bundleParts(own(), by, { digest });
  const right = bundleOfParts(mine);
  expect(judge().bundle(right, digest)).toMatchObject({ is: 'signed' });
  const theirs = bundleParts(own(), other, { digest: otherDigest });
  expect(judge().bundle(bundleOfParts({ ...mine, entries: theirs.entries }), digest)).toMatchObject({ is: 'not' });
  expect(judge().bundle(bundleOfParts({ ...mine, certificate: theirs.certificate }), digest)).toMatchObject({ is: 'not' });
  expect(judge().bundle(bundleOfParts({ ...mine, signature: theirs.signature }), digest)).toMatchObject({ is: 'not' });
  expect(judge().bundle(bundleOfParts({ ...mine, payload: theirs.payload }), digest)).toMatchObject({ is: 'not' });
  expect(judge().bundle(bundleOfParts({ ...mine, entries: [] }), digest)).toMatchObject({ is: 'not' });
  const layer = keylessLayer(own(), by, digest, otherDigest);
  expect(judge().simple(layer.bytes, layer.annotations, digest)).toMatchObject({ is: 'not' });
});

test('J1: an entry that names another signer for the same signature is none', async () => {
  const [by, other] = [await own().signer(), await own().signer()];
  const mine = bundleParts(own(), by, { digest });
  const body = JSON.parse(Buffer.from(String(mine.entries[0]?.['canonicalizedBody']), 'base64').toString());
  const entry = own().enter('dsse', '0.0.1', body);
  expect(judge().bundle(bundleOfParts({ ...mine, entries: [entry] }), digest)).toMatchObject({ is: 'signed' });
  body.spec.signatures[0].verifier = Buffer.from(`${other.certificate.toString('pem')}\n`).toString('base64');
  const forged = own().enter('dsse', '0.0.1', body);
  expect(judge().bundle(bundleOfParts({ ...mine, entries: [forged] }), digest)).toEqual({
    is: 'not',
    why: 'the entry of the log names another signer',
  });
});

test('J3: what counts is the time of signing, for the signer, the intermediate and the logs', async () => {
  const span = { from: new Date(Date.now() - 60 * MINUTE), to: new Date(Date.now() - 50 * MINUTE) };
  const by = await own().signer({ span });
  const during = Date.now() - 55 * MINUTE;
  expect(judge().bundle(keylessBundle(own(), by, { digest }, during), digest)).toMatchObject({ is: 'signed' });
  for (const at of [Date.now(), Date.now() - 65 * MINUTE])
    expect(judge().bundle(keylessBundle(own(), by, { digest }, at), digest)).toMatchObject({
      is: 'not',
      why: expect.stringContaining('not valid'),
    });
  const old = await openSigstore({ intermediateEndsMs: -30 * MINUTE });
  const early = await old.signer({ span });
  const late = await old.signer();
  expect(judge(old.trustedRoot()).bundle(keylessBundle(old, early, { digest }, during), digest)).toMatchObject({ is: 'signed' });
  expect(judge(old.trustedRoot()).bundle(keylessBundle(old, late, { digest }), digest)).toMatchObject({ is: 'not' });
  const retired = own().trustedRoot((root) => {
    const [ca] = JSON.parse(JSON.stringify(root['certificateAuthorities']));
    root['certificateAuthorities'] = [{ ...ca, validFor: { ...ca.validFor, end: new Date(Date.now() - 5 * MINUTE).toISOString() } }];
  });
  expect(judge(retired).bundle(keylessBundle(own(), by, { digest }, during), digest)).toMatchObject({ is: 'signed' });
  expect(judge(retired).bundle(keylessBundle(own(), await own().signer(), { digest }), digest)).toMatchObject({ is: 'not' });
});

test('J6: one entry twice is no second one, and refuses', async () => {
  const mine = bundleParts(own(), await own().signer(), { digest });
  expect(judge().bundle(bundleOfParts({ ...mine, entries: [...mine.entries, ...mine.entries] }), digest)).toMatchObject({ is: 'not' });
});

test('a certificate that no log saw, or that is for something else, signs nothing', async () => {
  const { signer } = own();
  const unseen = keylessBundle(own(), await signer({ logged: false }), { digest });
  expect(judge().bundle(unseen, digest)).toMatchObject({ is: 'not' });
  // A root without such a log does not ask for one.
  const without = own().trustedRoot((root) => {
    root['ctlogs'] = [];
  });
  expect(judge(without).bundle(unseen, digest)).toMatchObject({ is: 'signed' });
  const server = await signer({ usage: ExtendedKeyUsage.serverAuth });
  expect(judge().bundle(keylessBundle(own(), server, { digest }), digest)).toMatchObject({
    is: 'not',
    why: expect.stringContaining('signing code'),
  });
  // The authority itself is no signer.
  expect(judge(without).bundle(keylessBundle(own(), own().intermediate, { digest }), digest)).toMatchObject({ is: 'not' });
});
