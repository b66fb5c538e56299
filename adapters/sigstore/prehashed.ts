import type { KeyObject } from 'node:crypto';
import { ed25519ph } from '@noble/curves/ed25519.js';

const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;

/** Ed25519ph (RFC 8032 section 5.1), which node:crypto does not offer. False for a key of another type. Pure. */
export function isPrehashedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  if (key.asymmetricKeyType !== 'ed25519' || signature.byteLength !== SIGNATURE_BYTES) return false;
  // The last 32 bytes of the SPKI are the key itself (RFC 8410 section 4).
  const raw = key.export({ type: 'spki', format: 'der' }).subarray(-KEY_BYTES);
  // Strict: the verification of RFC 8032 and no more lenient one (ZIP 215).
  return ed25519ph.verify(signature, bytes, raw, { zip215: false });
}
