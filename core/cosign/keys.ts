import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** A trusted key under the name it has in its Secret. */
export type TrustedKey = Readonly<{ name: string; key: KeyObject; hashes: readonly (string | null)[] }>;
export type Keys = Readonly<{ is: 'keys'; keys: readonly TrustedKey[] }> | Readonly<{ is: 'failed'; message: string }>;

const MAX_KEYS = 32;
const MAX_KEY_BYTES = 16_384;
const MAX_SIGNATURE_BYTES = 4_096;
const MIN_RSA_BITS = 2_048;
/** cosign hashes with SHA-256 whatever the curve; its later releases take the hash of the curve's size. */
const CURVES: Readonly<Record<string, readonly string[]>> = Object.freeze({
  prime256v1: Object.freeze(['sha256']),
  secp384r1: Object.freeze(['sha384', 'sha256']),
  secp521r1: Object.freeze(['sha512', 'sha256']),
});

/**
 * The public keys of a Secret: every key whose name ends with `.pub`, in the order of their names. One that cannot be used fails the whole, so that a spoilt key is seen. No
 * message quotes a value. Pure.
 */
export function trustedKeys(values: Readonly<Record<string, Uint8Array>>): Keys {
  const names = Object.keys(values)
    .filter((name) => name.endsWith('.pub'))
    .toSorted();
  if (names.length === 0) return failed('has no key that ends with .pub');
  if (names.length > MAX_KEYS) return failed(`has more than ${MAX_KEYS} public keys`);
  const keys: TrustedKey[] = [];
  for (const name of names) {
    const key = trustedKey(name, values[name] ?? new Uint8Array());
    if (key === null)
      return failed(
        `holds under ${name} no PEM public key of ECDSA (P-256, P-384, P-521), Ed25519, or RSA with at least ${MIN_RSA_BITS} bits`,
      );
    keys.push(key);
  }
  return { is: 'keys', keys };
}

function trustedKey(name: string, bytes: Uint8Array): TrustedKey | null {
  const pem = new TextDecoder().decode(bytes);
  // A private key would be taken for its public half.
  if (bytes.byteLength > MAX_KEY_BYTES || !pem.includes('-----BEGIN PUBLIC KEY-----')) return null;
  const key = publicKeyOf(pem);
  if (key === null) return null;
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec': {
      const hashes = namedCurve === undefined || !Object.hasOwn(CURVES, namedCurve) ? undefined : CURVES[namedCurve];
      return hashes === undefined ? null : Object.freeze({ name, key, hashes });
    }
    case 'rsa':
      return (modulusLength ?? 0) < MIN_RSA_BITS ? null : Object.freeze({ name, key, hashes: ['sha256'] });
    case 'ed25519':
      return Object.freeze({ name, key, hashes: [null] });
    default:
      return null;
  }
}

function publicKeyOf(pem: string): KeyObject | null {
  try {
    return createPublicKey({ key: pem, format: 'pem', type: 'spki' });
  } catch {
    // Whatever the parser dislikes, the caller says which key it is; the parser's own text may quote it.
    return null;
  }
}

/** Verifies Ed25519ph; false for another key. Pure. */
export type Prehashed = (key: KeyObject, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Name of the first key that made this signature over these bytes, or null. ECDSA in DER, RSA in PKCS #1 v1.5, Ed25519 both ways, as cosign writes them. Pure. */
export function signerOf(keys: readonly TrustedKey[], bytes: Uint8Array, signature: Uint8Array, isPrehashedBy: Prehashed): string | null {
  if (signature.byteLength === 0 || signature.byteLength > MAX_SIGNATURE_BYTES) return null;
  const isBy = ({ key, hashes }: TrustedKey): boolean =>
    hashes.some((hash) => verify(hash, bytes, key, signature)) || isPrehashedBy(key, bytes, signature);
  return keys.find(isBy)?.name ?? null;
}

function failed(message: string): Keys {
  return { is: 'failed', message };
}
