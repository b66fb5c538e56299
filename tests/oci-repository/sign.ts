import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { MANIFEST, type PushedManifest, type Pusher, sha256 } from '#tests/oci/push.ts';

export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const IN_TOTO = 'application/vnd.in-toto+json';

export type KeyKind = 'p256' | 'p384' | 'rsa' | 'ed25519';
export type Signer = Readonly<{ publicPem: string; sign(bytes: Buffer): Buffer }>;

/** A key pair as `cosign generate-key-pair` or `import-key-pair` has it; signs as cosign does. */
export function signer(kind: KeyKind = 'p256'): Signer {
  const { privateKey, publicKey } = pairOf(kind);
  const key = createPrivateKey(privateKey);
  return { publicPem: publicKey, sign: (bytes) => sign(kind === 'ed25519' ? null : 'sha256', bytes, key) };
}

/** PEM: SPKI and PKCS #8. */
export function pairOf(kind: KeyKind | 'short-rsa'): Readonly<{ privateKey: string; publicKey: string }> {
  const { publicKey, privateKey } = generate(kind);
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function generate(kind: KeyKind | 'short-rsa') {
  switch (kind) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2_048 });
    case 'short-rsa':
      return generateKeyPairSync('rsa', { modulusLength: 1_024 });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
  }
}

export type Claim = Readonly<{ type?: string; digest: string }>;

/** What cosign signs for an image (sigstore/cosign specs/SIGNATURE_SPEC.md). */
export function claimOf({ type = 'cosign container image signature', digest }: Claim): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: { identity: { 'docker-reference': '' }, image: { 'docker-manifest-digest': digest }, type },
      optional: null,
    }),
  );
}

/** One layer below the signature tag. */
export function signatureLayer(payload: Buffer, signature: Buffer | string, mediaType = SIMPLE_SIGNING) {
  const text = typeof signature === 'string' ? signature : signature.toString('base64');
  return { mediaType, bytes: payload, annotations: { [SIGNATURE]: text } };
}

export type SignatureLayer = ReturnType<typeof signatureLayer>;

/** `sha256-<hex>.sig` of a digest, with these layers. */
export function pushSignatures(
  pusher: Pusher,
  repository: string,
  digest: string,
  layers: readonly SignatureLayer[],
): Promise<PushedManifest> {
  return pusher.push(repository, `${digest.replace(':', '-')}.sig`, layers);
}

/** As `cosign sign --key` of releases before 3 does it. */
export async function signTag(pusher: Pusher, repository: string, digest: string, by: Signer): Promise<void> {
  const payload = claimOf({ digest });
  await pushSignatures(pusher, repository, digest, [signatureLayer(payload, by.sign(payload))]);
}

export type Statement = Readonly<{ digest: string; predicateType?: string; type?: string }>;

/** A bundle with a DSSE envelope, as `cosign sign --key` of release 3 writes it. */
export function bundleOf(
  { digest, predicateType = 'https://sigstore.dev/cosign/sign/v1', type = 'https://in-toto.io/Statement/v1' }: Statement,
  by: Signer,
): Buffer {
  const statement = { _type: type, subject: [{ digest: { sha256: digest.slice(7) } }], predicateType, predicate: {} };
  const payload = Buffer.from(JSON.stringify(statement));
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]);
  const dsseEnvelope = {
    payload: payload.toString('base64'),
    payloadType: IN_TOTO,
    signatures: [{ sig: by.sign(signed).toString('base64') }],
  };
  return Buffer.from(JSON.stringify({ mediaType: BUNDLE_TYPE, verificationMaterial: { publicKey: { hint: '' } }, dsseEnvelope }));
}

/** Pushes manifests that refer to a digest, and lists them under the fallback tag, which is what a registry without the list of referrers needs. */
export async function pushReferrers(
  pusher: Pusher,
  repository: string,
  subject: PushedManifest,
  bundles: readonly Buffer[],
): Promise<void> {
  const manifests = [];
  for (const bytes of bundles) {
    const { mediaType, digest, size } = subject;
    const more = { subject: { mediaType, digest, size }, artifactType: BUNDLE_TYPE };
    const pushed = await pusher.push(repository, null, [{ mediaType: BUNDLE_TYPE, bytes }], {}, more);
    manifests.push({ mediaType: MANIFEST, digest: pushed.digest, size: pushed.size, artifactType: BUNDLE_TYPE });
  }
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  await pusher.putManifest(repository, subject.digest.replace(':', '-'), { schemaVersion: 2, mediaType, manifests });
}

export const otherDigest = sha256('another image');
