import { createPrivateKey } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';
import { expect, test } from 'vitest';
import { textAt } from '#core/json.ts';
import { sha256 } from '#tests/oci/push.ts';
import { useScene } from './scene.ts';
import {
  bundleOf,
  claimOf,
  type KeyKind,
  otherDigest,
  pairOf,
  pushReferrers,
  pushSignatures,
  signatureLayer,
  signer,
  signTag,
} from './sign.ts';

const scene = useScene('oci-signed');
const url = (repository: string): string => `oci://${scene.front().host}/${repository}`;
const mine = signer();
const stranger = signer();

async function keys(name: string, values: Readonly<Record<string, string>> = { 'cosign.pub': mine.publicPem }) {
  return { verify: { provider: 'cosign', secretRef: { name: await scene.secret(`${name}-keys`, values) } } } as const;
}
async function expectRefused(source: string): Promise<string> {
  const message = await scene.settled(source, 'False', 'VerificationError');
  expect(await scene.condition(source, 'SourceVerified')).toMatchObject({ status: 'False', reason: 'VerificationError', message });
  expect(message).toMatch(/^failed to verify the signature using provider 'cosign': /);
  return message;
}
const digestOf = async (source: string) => textAt(await scene.status(source), 'artifact', 'digest');

test.each<KeyKind>(['p256', 'p384', 'rsa', 'ed25519'])('a tag signed by %s is verified, and the condition names the key', async (kind) => {
  const by = signer(kind);
  const { digest } = await scene.push(`team/${kind}`, 'latest', { 'a.yaml': 'a: 1' });
  await signTag(scene.pusher(), `team/${kind}`, digest, by);
  const both = { 'a-stranger.pub': stranger.publicPem, [`${kind}.pub`]: by.publicPem, 'note.txt': 'no key' };
  const source = await scene.source(kind, { url: url(`team/${kind}`), ...(await keys(kind, both)) });
  await scene.settled(source, 'True', 'Succeeded');
  expect(await scene.condition(source, 'SourceVerified')).toMatchObject({
    status: 'True',
    reason: 'Succeeded',
    message: `verified signature of revision latest@${digest} by key ${kind}.pub`,
  });
});

test('a prehashed signature by Ed25519, as cosign makes it since 2.6, is verified', async () => {
  const { privateKey, publicKey } = pairOf('ed25519');
  const seed = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' }).subarray(-32);
  const by = { publicPem: publicKey, sign: (bytes: Buffer) => Buffer.from(ed25519ph.sign(bytes, seed)) };
  const { digest } = await scene.push('team/prehashed', 'latest', { 'a.yaml': 'a: 1' });
  const source = await scene.source('prehashed', {
    url: url('team/prehashed'),
    ...(await keys('prehashed', { 'ed.pub': publicKey })),
  });
  await signTag(scene.pusher(), 'team/prehashed', digest, stranger);
  await scene.again(source);
  await expectRefused(source);
  await signTag(scene.pusher(), 'team/prehashed', digest, by);
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
});

test('a bundle that refers to the digest is verified, beside others that say something else', async () => {
  const pushed = await scene.push('team/bundle', 'latest', { 'a.yaml': 'a: 1' });
  const { digest } = pushed;
  const attestation = bundleOf({ digest, predicateType: 'https://slsa.dev/provenance/v1' }, mine);
  const source = await scene.source('bundle', { url: url('team/bundle'), ...(await keys('bundle')) });
  await expectRefused(source);
  await pushReferrers(scene.pusher(), 'team/bundle', pushed, [attestation, bundleOf({ digest }, stranger)]);
  await scene.again(source);
  expect(await expectRefused(source)).toMatch(/attestation.*no key fits/);
  await pushReferrers(scene.pusher(), 'team/bundle', pushed, [Buffer.from('x'), attestation, bundleOf({ digest }, mine)]);
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
});

test('nothing unsigned becomes an artifact: not the first one, not the next one', async () => {
  const first = await scene.push('team/next', 'latest', { 'a.yaml': 'a: 1' });
  scene.front().handle(() => false);
  const source = await scene.source('next', { url: url('team/next'), ...(await keys('next')) });
  expect(await expectRefused(source)).toContain(`no matching signatures were found for '${first.digest}'`);
  expect(await digestOf(source)).toBeUndefined();
  // Nothing of the content was even asked for.
  expect(scene.front().seen.filter(({ path }) => path.startsWith('/v2/team/next/blobs/'))).toEqual([]);
  await signTag(scene.pusher(), 'team/next', first.digest, mine);
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
  const before = await digestOf(source);
  const second = await scene.push('team/next', 'latest', { 'a.yaml': 'a: 2' });
  await signTag(scene.pusher(), 'team/next', second.digest, stranger);
  await scene.again(source);
  expect(await expectRefused(source)).toContain('no key fits');
  expect(await scene.status(source)).toMatchObject({ artifact: { digest: before, revision: `latest@${first.digest}` } });
});

test('J1: a signature copied from another image is none, and its twin over the right digest is', async () => {
  const { digest } = await scene.push('team/copied', 'latest', { 'a.yaml': 'evil: 1' });
  const [other, right] = [claimOf({ digest: otherDigest }), claimOf({ digest })];
  const source = await scene.source('copied', { url: url('team/copied'), ...(await keys('copied')) });
  await pushSignatures(scene.pusher(), 'team/copied', digest, [
    signatureLayer(other, mine.sign(other)),
    signatureLayer(right, mine.sign(other)),
    signatureLayer(right, mine.sign(right), 'application/vnd.in-toto+json'),
  ]);
  await scene.again(source);
  expect(await expectRefused(source)).toMatch(/another digest.*no key fits/);
  await pushSignatures(scene.pusher(), 'team/copied', digest, [
    signatureLayer(other, mine.sign(other)),
    signatureLayer(right, mine.sign(right)),
  ]);
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
});

test('J2: signatures that cannot be read refuse, and do not hide a good one', async () => {
  const { digest } = await scene.push('team/spoilt', 'latest', { 'a.yaml': 'a: 1' });
  const right = claimOf({ digest });
  const spoilt = [
    signatureLayer(Buffer.from('no JSON'), mine.sign(Buffer.from('no JSON'))),
    signatureLayer(right, 'no base64!'),
    signatureLayer(Buffer.alloc(70_000, ' '), mine.sign(right)),
  ];
  const source = await scene.source('spoilt', { url: url('team/spoilt'), ...(await keys('spoilt')) });
  await pushSignatures(scene.pusher(), 'team/spoilt', digest, spoilt);
  await scene.again(source);
  await expectRefused(source);
  await pushSignatures(scene.pusher(), 'team/spoilt', digest, [...spoilt, signatureLayer(right, mine.sign(right))]);
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
});

test('J5: a tag that moves between the calls brings nothing that was not verified', async () => {
  const signed = await scene.push('team/flips', 'signed', { 'a.yaml': 'good: 1' });
  const evil = await scene.push('team/flips', 'evil', { 'a.yaml': 'evil: 1' });
  await scene.push('team/flips', 'latest', { 'a.yaml': 'good: 1' });
  await signTag(scene.pusher(), 'team/flips', signed.digest, mine);
  let asked = 0;
  // The first answer is the signed one, all later ones are not.
  scene.front().handle((request, response) => {
    if (request.url !== '/v2/team/flips/manifests/latest') return false;
    asked += 1;
    response.setHeader('docker-content-digest', asked === 1 ? signed.digest : evil.digest).end();
    return true;
  });
  const source = await scene.source('flips', { url: url('team/flips'), ...(await keys('flips')) });
  await scene.settled(source, 'True', 'Succeeded');
  expect(asked).toBe(1);
  const layer = signed.layers[0]?.digest ?? '';
  expect(
    scene
      .front()
      .seen.filter(({ path }) => path.startsWith('/v2/team/flips/blobs/'))
      .map(({ path }) => path)
      .at(-1),
  ).toContain(layer);
  expect(await scene.status(source)).toMatchObject({ artifact: { revision: `latest@${signed.digest}` } });
  const before = await digestOf(source);
  await scene.again(source);
  await expectRefused(source);
  expect(await digestOf(source)).toBe(before);
});

test('J7: of many signatures a hundred are read', async () => {
  const { digest } = await scene.push('team/crowd', 'latest', { 'a.yaml': 'a: 1' });
  const noise = Buffer.from('noise');
  const layer = signatureLayer(noise, stranger.sign(noise));
  await pushSignatures(
    scene.pusher(),
    'team/crowd',
    digest,
    Array.from({ length: 900 }, () => layer),
  );
  scene.front().handle(() => false);
  const source = await scene.source('crowd', { url: url('team/crowd'), ...(await keys('crowd')) });
  expect(await expectRefused(source)).toContain('none of the first 100');
  const { seen } = scene.front();
  // A failure is tried again, perhaps just now.
  const looks = seen.filter(({ method, path }) => method === 'HEAD' && path.startsWith('/v2/team/crowd/') && path.endsWith('.sig')).length;
  const reads = seen.filter(({ path }) => path.endsWith(sha256(noise))).length;
  expect(reads).toBeGreaterThanOrEqual(100);
  expect(reads).toBeLessThanOrEqual(100 * looks);
});

test('a changed key, a changed revision and a failure are verified again; nothing else is', async () => {
  const { digest } = await scene.push('team/again', 'latest', { 'a.yaml': 'a: 1' });
  await signTag(scene.pusher(), 'team/again', digest, mine);
  const looks = () => scene.front().seen.filter(({ path }) => path.startsWith('/v2/team/again/') && path.endsWith('.sig')).length;
  const source = await scene.source('again', { url: url('team/again'), ...(await keys('again')) });
  await scene.settled(source, 'True', 'Succeeded');
  scene.front().handle(() => false);
  await scene.again(source);
  expect(looks()).toBe(0);
  await scene.app.patch('OCIRepository', source, { spec: await keys('again-2', { 'theirs.pub': stranger.publicPem }) });
  await expectRefused(source);
  const before = looks();
  expect(before).toBeGreaterThanOrEqual(1);
  await scene.again(source);
  await expectRefused(source);
  expect(looks()).toBeGreaterThan(before);
  await scene.app.patch('OCIRepository', source, { spec: { verify: null } });
  await scene.settled(source, 'True', 'Succeeded');
  expect(await scene.condition(source, 'SourceVerified')).toBeNull();
});

test('a spec that changes while the registry is away is verified once it is back', async () => {
  const { digest } = await scene.push('team/away', 'latest', { 'a.yaml': 'a: 1' });
  await signTag(scene.pusher(), 'team/away', digest, mine);
  scene.front().handle(() => false);
  const source = await scene.source('away', { url: url('team/away'), ...(await keys('away')) });
  await scene.settled(source, 'True', 'Succeeded');
  scene.front().handle((_request, response) => {
    response.writeHead(500).end();
    return true;
  });
  await scene.app.patch('OCIRepository', source, { spec: await keys('away-2', { 'theirs.pub': stranger.publicPem }) });
  await scene.settled(source, 'False', 'OCIArtifactPullFailed');
  scene.front().handle(() => false);
  await scene.again(source);
  await expectRefused(source);
});

test.each([
  ['no-secret', null, 'does not exist'],
  ['no-keys', { 'cosign.key': 'x' }, 'no key that ends with .pub'],
  ['bad-key', { 'cosign.pub': 'canary' }, 'under cosign.pub'],
] as const)('%s refuses, with what to mend', async (name, values, words) => {
  const { digest } = await scene.push('team/keys', 'latest', { 'a.yaml': 'a: 1' });
  await signTag(scene.pusher(), 'team/keys', digest, mine);
  const verify = values === null ? { verify: { provider: 'cosign', secretRef: { name: 'nobody' } } } : await keys(name, values);
  const source = await scene.source(name, { url: url('team/keys'), ...verify });
  const message = await expectRefused(source);
  expect(message).toContain(words);
  expect(message).not.toContain('canary');
  expect(await digestOf(source)).toBeUndefined();
});
