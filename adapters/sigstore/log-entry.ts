import type { X509Certificate } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import { at, type Json, parseJson } from '#core/json.ts';
import { certificateOf } from './trusted-root.ts';

/** Where each type of entry says who signed: PEM in base64 by the first generation of the log, DER in base64 by the second. */
const SIGNERS: Readonly<Record<string, (body: Json) => Json | undefined>> = Object.freeze({
  'hashedrekord 0.0.1': (body) => at(body, 'spec', 'signature', 'publicKey', 'content'),
  'dsse 0.0.1': (body) => at(only(at(body, 'spec', 'signatures')), 'verifier'),
  'hashedrekord 0.0.2': (body) => at(body, 'spec', 'hashedRekordV002', 'signature', 'verifier', 'x509Certificate', 'rawBytes'),
  'dsse 0.0.2': (body) => at(only(at(body, 'spec', 'dsseV002', 'signatures')), 'verifier', 'x509Certificate', 'rawBytes'),
});

/**
 * Whether an entry of a log names this very certificate as the signer. The library compares signature and digest only, so that an entry that somebody else made for the same
 * signature would do (threats J1; cosign CVE-2026-22703). An entry of another type names nobody. Throws what the parser throws.
 */
export function namesSigner({ kindVersion, canonicalizedBody }: TransparencyLogEntry, leaf: X509Certificate): boolean {
  const type = `${kindVersion?.kind} ${kindVersion?.version}`;
  const signerIn = Object.hasOwn(SIGNERS, type) ? SIGNERS[type] : undefined;
  const body = parseJson(canonicalizedBody.toString('utf8'));
  const found = signerIn?.(body);
  if (typeof found !== 'string') return false;
  const signer = certificateOf(Buffer.from(found, 'base64'));
  return signer?.raw.equals(leaf.raw) === true;
}

function only(list: Json | undefined): Json | undefined {
  return Array.isArray(list) && list.length === 1 ? list[0] : undefined;
}
