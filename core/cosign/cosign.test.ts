import { expect, test } from 'vitest';
import { bundleOf, claimOf, type KeyKind, otherDigest, pairOf, signer } from '#tests/oci-repository/sign.ts';
import { trustedKeys } from './keys.ts';
import { BUNDLE, bundleSigned as bundleSignedBy, simpleSigned } from './signed.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const KINDS: readonly KeyKind[] = ['p256', 'p384', 'rsa', 'ed25519'];
const mine = signer();
const trusted = keysOf({ 'cosign.pub': mine.publicPem });

function keysOf(values: Readonly<Record<string, string>>) {
  const keys = trustedKeys(Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Buffer.from(text)])));
  if (keys.is === 'failed') throw new Error(keys.message);
  return keys.keys;
}

const isPrehashedBy = () => false;
const bundleSigned = (keys: ReturnType<typeof keysOf>, bundle: Buffer, of: string) => bundleSignedBy({ keys, isPrehashedBy }, bundle, of);
const simple = (payload: Buffer, signature: Buffer | string, keys = trusted) =>
  simpleSigned({ keys, isPrehashedBy }, payload, typeof signature === 'string' ? signature : signature.toString('base64'), digest);

test.each(KINDS)('a signature by %s counts, in both forms, and only over its own bytes', (kind) => {
  const by = signer(kind);
  const keys = keysOf({ 'other.pub': signer(kind).publicPem, 'right.pub': by.publicPem });
  const payload = claimOf({ digest });
  expect(simple(payload, by.sign(payload), keys)).toEqual({ is: 'signed', key: 'right.pub' });
  expect(bundleSigned(keys, bundleOf({ digest }, by), digest)).toEqual({ is: 'signed', key: 'right.pub' });
  expect(simple(Buffer.concat([payload, Buffer.from(' ')]), by.sign(payload), keys)).toMatchObject({ is: 'not' });
});

test('J1: a signature of another image, or of another claim, is none for this one', () => {
  const other = claimOf({ digest: otherDigest });
  const mineOfThis = claimOf({ digest });
  expect(simple(other, mine.sign(other))).toEqual({ is: 'not', why: 'it is for another digest' });
  expect(simple(mineOfThis, mine.sign(other))).toMatchObject({ is: 'not' });
  const renamed = claimOf({ digest, type: 'atomic container signature' });
  expect(simple(renamed, mine.sign(renamed))).toMatchObject({ is: 'not' });
  expect(bundleSigned(trusted, bundleOf({ digest: otherDigest }, mine), digest)).toEqual({ is: 'not', why: 'it is for another digest' });
});

test('an attestation by the trusted key is no signature', () => {
  const predicateType = 'https://slsa.dev/provenance/v1';
  expect(bundleSigned(trusted, bundleOf({ digest, predicateType }, mine), digest)).toMatchObject({
    is: 'not',
    why: expect.stringContaining('attestation'),
  });
});

const envelope = (edit: (bundle: { dsseEnvelope: Record<string, unknown> }) => unknown): Buffer => {
  const bundle = JSON.parse(bundleOf({ digest }, mine).toString());
  return Buffer.from(JSON.stringify(edit(bundle) ?? bundle));
};
const withField = (name: string, value: unknown): Buffer =>
  envelope((bundle) => {
    bundle.dsseEnvelope[name] = value;
  });
const statement = (text: string): Buffer => {
  const payload = Buffer.from(text);
  const type = 'application/vnd.in-toto+json';
  const sig = mine.sign(Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])).toString('base64');
  return Buffer.from(JSON.stringify({ dsseEnvelope: { payloadType: type, payload: payload.toString('base64'), signatures: [{ sig }] } }));
};
const subject = `"subject":[{"digest":{"sha256":"${digest.slice(7)}"}}]`;
const V1 = '"_type":"https://in-toto.io/Statement/v1"';
const SIGN = '"predicateType":"https://sigstore.dev/cosign/sign/v1"';

/** J2: what cannot be read to its end, or says less than it must, is a failure, even where the signature over it is right. */
const MALFORMED: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['no JSON', Buffer.from('x')],
  ['a list', Buffer.from('[]')],
  ['null', Buffer.from('null')],
  ['a text', Buffer.from('"dsseEnvelope"')],
  ['no UTF-8', Buffer.from([0xff, 0xfe, 0x7b, 0x7d])],
  ['cut', bundleOf({ digest }, mine).subarray(0, -1)],
  ['no envelope', Buffer.from('{}')],
  ['another envelope', Buffer.from(JSON.stringify({ messageSignature: { signature: 'AAAA' } }))],
  ['envelope null', envelope(() => ({ dsseEnvelope: null }))],
  ['envelope a list', envelope((bundle) => ({ dsseEnvelope: [bundle.dsseEnvelope] }))],
  ['envelope inherited', Buffer.from(`{"__proto__":${bundleOf({ digest }, mine).toString()}}`)],
  ['payload missing', withField('payload', undefined)],
  ['payload no base64', withField('payload', '!!!!')],
  ['payload a number', withField('payload', 1)],
  ['payload empty', withField('payload', '')],
  ['another payload type', withField('payloadType', 'application/json')],
  ['signatures missing', withField('signatures', undefined)],
  ['no signature', withField('signatures', [])],
  [
    'two signatures',
    envelope((bundle) => {
      const found = bundle.dsseEnvelope['signatures'];
      bundle.dsseEnvelope['signatures'] = Array.isArray(found) ? [...found, ...found] : [];
    }),
  ],
  ['signature a text', withField('signatures', ['AAAA'])],
  ['signature empty', withField('signatures', [{ sig: '' }])],
  ['signature too short', withField('signatures', [{ sig: 'AAAA' }])],
  ['signature huge', withField('signatures', [{ sig: 'A'.repeat(100_000) }])],
  ['signature with blanks', withField('signatures', [{ sig: ' AAAA' }])],
  ['statement no JSON', statement('x')],
  ['statement a list', statement('[]')],
  ['statement empty', statement('{}')],
  ['statement of another type', statement(`{"_type":"https://in-toto.io/Statement/v9",${subject},${SIGN}}`)],
  ['statement without type', statement(`{${subject},${SIGN}}`)],
  ['no predicate type', statement(`{${V1},${subject}}`)],
  ['predicate type of a near name', statement(`{${V1},${subject},"predicateType":"https://sigstore.dev/cosign/sign/v1/x"}`)],
  ['no subject', statement(`{${V1},${SIGN}}`)],
  ['subject an object', statement(`{${V1},${SIGN},"subject":{"digest":{"sha256":"${digest.slice(7)}"}}}`)],
  ['subject by another algorithm', statement(`{${V1},${SIGN},"subject":[{"digest":{"sha512":"${digest.slice(7)}"}}]}`)],
  ['subject by name only', statement(`{${V1},${SIGN},"subject":[{"name":"${digest}"}]}`)],
];

test.each(MALFORMED)('J2: a bundle that is malformed (%s) is no signature', (_name, bytes) => {
  expect(bundleSigned(trusted, bytes, digest)).toMatchObject({ is: 'not', why: expect.stringMatching(/./) });
});

test('J2: benign twins of the same makers count', () => {
  expect(
    bundleSigned(
      trusted,
      envelope(() => undefined),
      digest,
    ),
  ).toMatchObject({ is: 'signed' });
  expect(bundleSigned(trusted, statement(`{${V1},${SIGN},${subject}}`), digest)).toMatchObject({ is: 'signed' });
  expect(bundleSigned(trusted, bundleOf({ digest, type: 'https://in-toto.io/Statement/v0.1' }, mine), digest)).toMatchObject({
    is: 'signed',
  });
});

test.each([
  ['no JSON', 'x'],
  ['null', 'null'],
  ['empty', '{}'],
  ['no image', '{"critical":{"type":"cosign container image signature"}}'],
  ['digest in another place', `{"critical":{"type":"cosign container image signature"},"docker-manifest-digest":"${digest}"}`],
  ['digest in a list', `{"critical":{"type":"cosign container image signature","image":[{"docker-manifest-digest":"${digest}"}]}}`],
])('J2: a payload that is malformed (%s) is no signature', (_name, text) => {
  const payload = Buffer.from(text);
  expect(simple(payload, mine.sign(payload))).toMatchObject({ is: 'not' });
});

test.each(['', '!', 'AAA', `${'A'.repeat(8_000)}`, ' '])('J2: "%s" as signature is refused', (text) => {
  expect(simple(claimOf({ digest }), text)).toMatchObject({ is: 'not' });
});

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ['no key at all', {}, /no key that ends with .pub/],
  ['another name', { 'cosign.key': mine.publicPem }, /no key that ends with .pub/],
  ['no PEM', { 'cosign.pub': 'canary' }, /under cosign.pub/],
  ['a private key', { 'cosign.pub': pairOf('p256').privateKey }, /under cosign.pub/],
  ['one good and one spoilt', { 'a.pub': mine.publicPem, 'b.pub': 'canary' }, /under b.pub/],
  ['a short RSA key', { 'a.pub': pairOf('short-rsa').publicKey }, /under a.pub/],
  ['too many', Object.fromEntries(Array.from({ length: 33 }, (_none, index) => [`${index}.pub`, mine.publicPem])), /more than 32/],
])('keys: %s is said, without a value', (_name, values, message) => {
  const found = trustedKeys(Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Buffer.from(text)])));
  expect(found).toMatchObject({ is: 'failed', message: expect.stringMatching(message) });
  expect(JSON.stringify(found)).not.toMatch(/canary|BEGIN/);
});

test.each([
  ['application/vnd.dev.sigstore.bundle.v0.3+json', true],
  ['application/vnd.dev.sigstore.bundle+json;version=0.1', true],
  ['application/vnd.dev.sigstore.bundle.v0.3+json2', false],
  ['application/vnd.in-toto+json', false],
])('%s as artifact type: %s', (text, wanted) => {
  expect(BUNDLE.test(text)).toBe(wanted);
});
