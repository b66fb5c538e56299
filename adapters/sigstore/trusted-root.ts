import { X509Certificate } from 'node:crypto';
import { type CertificateAuthority, TrustedRoot } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';
import { isObject, parseJson } from '#core/json.ts';

/** What is trusted, and how many logs must have seen a certificate and a signature: one, where the root names any. */
export type Trust = Readonly<{
  material: TrustMaterial;
  /** Keys of the authorities, none of which may be a signer's. */
  authorityKeys: ReadonlySet<string>;
  ctlogThreshold: number;
  tlogThreshold: number;
}>;
export type ReadRoot = Readonly<{ is: 'trust'; trust: Trust }> | Readonly<{ is: 'invalid'; message: string }>;

const MAX_BYTES = 1_048_576;
const MAX_AUTHORITIES = 32;
const MAX_CHAIN = 8;
const MAX_CERTIFICATE_BYTES = 16_384;

/** Reads a `trusted_root.json` (sigstore/protobuf-specs, sigstore_trustroot.proto). The message goes on after the name of where it stands, and quotes no value. Pure. */
export function readTrustedRoot(json: Uint8Array): ReadRoot {
  if (json.byteLength > MAX_BYTES) return invalid(`is larger than ${MAX_BYTES} bytes`);
  const root = rootOf(json);
  if (root === null) return invalid('is no trusted_root.json of Sigstore');
  const { certificateAuthorities, timestampAuthorities, tlogs, ctlogs } = root;
  if ([certificateAuthorities, timestampAuthorities, tlogs, ctlogs].some(({ length }) => length > MAX_AUTHORITIES))
    return invalid(`names more than ${MAX_AUTHORITIES} authorities or logs of one sort`);
  if (certificateAuthorities.length === 0) return invalid('names no certificate authority');
  // Without either nobody says when something was signed, and certificates of signers live for minutes.
  if (tlogs.length === 0 && timestampAuthorities.length === 0) return invalid('names neither a transparency log nor a timestamp authority');
  if (![...certificateAuthorities, ...timestampAuthorities].every(isChain))
    return invalid(
      `has an authority whose certificates are no chain, each signed by the next, of at most ${MAX_CHAIN}, that ends in its root`,
    );
  const material = materialOf(root);
  if (material === null) return invalid('has a certificate or a public key that cannot be read');
  const authorityKeys = new Set(certificateAuthorities.flatMap(chainOf).map(keyOf));
  const thresholds = { ctlogThreshold: Math.min(1, ctlogs.length), tlogThreshold: Math.min(1, tlogs.length) };
  return { is: 'trust', trust: Object.freeze({ material, authorityKeys, ...thresholds }) };
}

function rootOf(json: Uint8Array): TrustedRoot | null {
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(json));
    return isObject(value) ? TrustedRoot.fromJSON(value) : null;
  } catch {
    // Whatever the parsers dislike, it is no root; their own words may quote it.
    return null;
  }
}

function materialOf(root: TrustedRoot): TrustMaterial | null {
  try {
    return toTrustMaterial(root);
  } catch {
    return null;
  }
}

/**
 * Each certificate is signed by the next and the last by itself, all with keys of their own. The library looks for every path between the certificates it is given: between some that
 * sign one another it would not end.
 */
function isChain(authority: CertificateAuthority): boolean {
  const raw = authority.certChain?.certificates.map(({ rawBytes }) => rawBytes) ?? [];
  if (raw.length === 0 || raw.length > MAX_CHAIN || raw.some(({ byteLength }) => byteLength > MAX_CERTIFICATE_BYTES)) return false;
  const chain = chainOf(authority);
  if (chain.length < raw.length || new Set(chain.map(keyOf)).size < chain.length) return false;
  return chain.every((one, index) => {
    const issuer = chain[index + 1] ?? one;
    return one.checkIssued(issuer) && one.verify(issuer.publicKey);
  });
}

function chainOf({ certChain }: CertificateAuthority): readonly X509Certificate[] {
  return (certChain?.certificates ?? []).map(({ rawBytes }) => certificateOf(rawBytes)).filter((one) => one !== null);
}

/** Null for bytes that are no certificate. */
export function certificateOf(bytes: Uint8Array | string): X509Certificate | null {
  try {
    return new X509Certificate(bytes);
  } catch {
    return null;
  }
}

export function keyOf({ publicKey }: X509Certificate): string {
  return publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
}

function invalid(message: string): ReadRoot {
  return { is: 'invalid', message };
}
