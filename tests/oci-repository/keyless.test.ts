import { beforeAll, expect, test } from 'vitest';
import { textAt } from '#core/json.ts';
import { ISSUER, openSigstore, RELEASER, type TestSigstore } from '#tests/sigstore/authority.ts';
import { keylessBundle, keylessLayer } from '#tests/sigstore/signatures.ts';
import { useScene } from './scene.ts';
import { pushReferrers, pushSignatures } from './sign.ts';

const scene = useScene('oci-keyless');
const url = (repository: string): string => `oci://${scene.front().host}/${repository}`;
const parts: { sigstore?: TestSigstore } = {};
beforeAll(async () => {
  parts.sigstore = await openSigstore();
});
function own(): TestSigstore {
  if (parts.sigstore === undefined) throw new Error('not started');
  return parts.sigstore;
}
const rootSecret = (name: string) => scene.secret(`${name}-root`, { 'trusted_root.json': own().trustedRoot().toString() });
const acme = { issuer: '^https://token\\.actions\\.example$', subject: '^https://github\\.example/acme/.*$' };
async function refused(source: string): Promise<string> {
  const message = await scene.settled(source, 'False', 'VerificationError');
  expect(await scene.condition(source, 'SourceVerified')).toMatchObject({ status: 'False', reason: 'VerificationError', message });
  expect(textAt(await scene.status(source), 'artifact', 'digest')).toBeUndefined();
  return message;
}

test('a bundle of an identity below the root of a Secret is verified, and the condition names the identity', async () => {
  const pushed = await scene.push('team/bundle', 'latest', { 'a.yaml': 'a: 1' });
  const verify = { provider: 'cosign', trustedRootSecretRef: { name: await rootSecret('bundle') }, matchOIDCIdentity: [acme] };
  const source = await scene.source('bundle', { url: url('team/bundle'), verify });
  expect(await refused(source)).toContain('no matching signatures were found');
  const stranger = await own().signer({ subject: { type: 'url', value: 'https://github.example/acme-evil/app' } });
  await pushReferrers(scene.pusher(), 'team/bundle', pushed, [keylessBundle(own(), stranger, pushed)]);
  await scene.again(source);
  expect(await refused(source)).toContain('identity https://github.example/acme-evil/app of issuer');
  const bundles = [Buffer.from('x'), keylessBundle(own(), stranger, pushed), keylessBundle(own(), await own().signer(), pushed)];
  await pushReferrers(scene.pusher(), 'team/bundle', pushed, bundles);
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
  expect(await scene.condition(source, 'SourceVerified')).toMatchObject({
    status: 'True',
    reason: 'Succeeded',
    message: `verified signature of revision latest@${pushed.digest} by identity ${RELEASER} of issuer ${ISSUER}`,
  });
});

test('the older layout below a tag is verified, without entries for any identity below that root', async () => {
  const { digest } = await scene.push('team/tag', 'latest', { 'a.yaml': 'a: 1' });
  const verify = { provider: 'cosign', trustedRootSecretRef: { name: await rootSecret('tag') } };
  const source = await scene.source('tag', { url: url('team/tag'), verify });
  const foreign = await openSigstore();
  await pushSignatures(scene.pusher(), 'team/tag', digest, [keylessLayer(foreign, await foreign.signer(), digest)]);
  await scene.again(source);
  expect(await refused(source)).toContain('no trusted authority');
  const by = await own().signer({ subject: { type: 'email', value: 'release@acme.example' } });
  await pushSignatures(scene.pusher(), 'team/tag', digest, [keylessLayer(own(), by, digest)]);
  await scene.again(source);
  await scene.settled(source, 'True', 'Succeeded');
});

test('what is wrong with the Secret, the root or a pattern is said, and no value is quoted', async () => {
  const { digest } = await scene.push('team/wrong', 'latest', { 'a.yaml': 'a: 1' });
  await pushSignatures(scene.pusher(), 'team/wrong', digest, [keylessLayer(own(), await own().signer(), digest)]);
  const cases = [
    ['none', { trustedRootSecretRef: { name: 'nobody' } }, 'does not exist'],
    ['empty', { trustedRootSecretRef: { name: await scene.secret('empty', { other: 'x' }) } }, 'has no key trusted_root.json'],
    ['bad', { trustedRootSecretRef: { name: await scene.secret('bad', { 'trusted_root.json': 'canary' }) } }, 'is no trusted_root.json'],
    ['own', { matchOIDCIdentity: [acme] }, 'WEIR_SIGSTORE_TRUSTED_ROOT'],
    ['pattern', { matchOIDCIdentity: [{ ...acme, subject: '(' }] }, 'matchOIDCIdentity[0].subject'],
  ] as const;
  for (const [name, more, words] of cases) {
    const source = await scene.source(name, { url: url('team/wrong'), verify: { provider: 'cosign', ...more } });
    const message = await refused(source);
    expect(message).toContain(words);
    expect(message).not.toContain('canary');
  }
});
