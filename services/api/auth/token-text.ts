import { createHash, randomBytes } from 'node:crypto';

/**
 * Tokens that Weir makes: `weir_<id>_<secret>`. The id may be shown; the secret has 256 bits, so a plain SHA-256 of the whole text is enough to store it by.
 */
const whole = /^weir_[a-z2-7]{16}_[A-Za-z0-9_-]{43}$/;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

export type NewToken = Readonly<{
  /** Shown once, never stored. */ token: string /** `weir_<id>`: for people. */;
  prefix: string;
  hash: Uint8Array;
}>;

/** The part of a token that may be shown: made of the uid of its object, so that a leaked token finds its owner. Pure. */
export function tokenPrefix(uid: string): string {
  return `weir_${base32(Buffer.from(uid.replaceAll('-', ''), 'hex').subarray(0, 10))}`;
}

/** A new token for the object with this uid; its secret comes from the system's generator. */
export function newToken(uid: string): NewToken {
  const prefix = tokenPrefix(uid);
  const token = `${prefix}_${randomBytes(32).toString('base64url')}`;
  return Object.freeze({ token, prefix, hash: hashToken(token) });
}

/** True for everything that claims to be ours, well-formed or not: such a text never goes to the OIDC verifier. Pure. */
export function isWeirToken(text: string): boolean {
  return text.startsWith('weir_');
}

/** True for a text that `newToken` could have made. Pure. */
export function isWellFormedToken(text: string): boolean {
  return whole.test(text);
}

export function hashToken(token: string): Uint8Array {
  return createHash('sha256').update(token, 'utf8').digest();
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31];
  }
  return text;
}
