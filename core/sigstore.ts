import type { KeyObject } from 'node:crypto';

/** Sigstore's signatures without a key of one's own, and what node:crypto cannot verify; `adapters/sigstore` implements it. All of it is offline. */

/** Who asked for the certificate, as the authority wrote it into it. */
export type SigstoreIdentity = Readonly<{ issuer: string; subject: string }>;

/** What was signed by whom, at a time at which the certificate was good and, where the root names logs, in a log; or why this is no such signature. */
export type Attested = Readonly<{ is: 'signed'; identity: SigstoreIdentity; payload: Uint8Array }> | Readonly<{ is: 'not'; why: string }>;

/** A signature as cosign's older layout has it: annotations of a layer beside the signed bytes. */
export type Detached = Readonly<{
  payload: Uint8Array;
  /** Base64. */
  signature: string;
  /** PEM. */
  certificate: string;
  /** JSON with the promise of the log; null when there is none. */
  logBundle: string | null;
  /** JSON with the timestamp of an authority; null when there is none. */
  timestamp: string | null;
}>;

/** What is trusted: authorities for certificates and for time, and logs. Both functions are pure. */
export type SigstoreRoot = Readonly<{
  /** A bundle whose envelope holds an in-toto statement; `payload` is the statement. */
  bundle(bytes: Uint8Array): Attested;
  detached(signature: Detached): Attested;
}>;

export interface Sigstore {
  /** Reads a `trusted_root.json`. `message` goes on after the name of where it stands, and quotes no value. Pure. */
  root(json: Uint8Array): Readonly<{ is: 'root'; root: SigstoreRoot }> | Readonly<{ is: 'invalid'; message: string }>;
  /** The operator's root, for definitions that name none; null when the operator gave none. */
  readonly operatorRoot: SigstoreRoot | null;
  /** Whether this is the key's signature over the SHA-512 of the bytes (RFC 8032, Ed25519ph), which is how cosign signs with Ed25519 since 2.6. Pure. */
  isPrehashedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean;
}
