import { createHash, type X509Certificate } from 'node:crypto';
import { type Bundle, bundleFromJSON } from '@sigstore/bundle';
import { at, isObject, type Json, type JsonObject, parseJson, textAt } from '#core/json.ts';
import type { Detached } from '#core/sigstore.ts';
import { certificateOf } from './trusted-root.ts';

/** What the verification reads, within its limits. */
export type Evidence = Readonly<{ bundle: Bundle; leaf: X509Certificate }>;

const MAX_CERTIFICATE_BYTES = 16_384;
const MAX_ENTRIES = 8;
const MAX_ENTRY_BYTES = 262_144;
const MAX_HASHES = 64;
const MAX_TIMESTAMPS = 4;
const MAX_TIMESTAMP_BYTES = 65_536;

/** A bundle with the certificate of its signer, or null for one without, and for what is beyond the limits. Throws what the parsers throw. */
export function evidenceOf(value: JsonObject): Evidence | null {
  const bundle = bundleFromJSON(value);
  const { content, tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  const timestamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  if (tlogEntries.length > MAX_ENTRIES || timestamps.length > MAX_TIMESTAMPS) return null;
  if (timestamps.some(({ signedTimestamp }) => signedTimestamp.byteLength > MAX_TIMESTAMP_BYTES)) return null;
  for (const { canonicalizedBody, inclusionProof } of tlogEntries) {
    const checkpoint = inclusionProof?.checkpoint?.envelope.length ?? 0;
    if (canonicalizedBody.byteLength > MAX_ENTRY_BYTES || checkpoint > MAX_ENTRY_BYTES) return null;
    if ((inclusionProof?.hashes.length ?? 0) > MAX_HASHES) return null;
  }
  const raw =
    content.$case === 'certificate'
      ? content.certificate.rawBytes
      : content.$case === 'x509CertificateChain'
        ? content.x509CertificateChain.certificates[0]?.rawBytes
        : undefined;
  const leaf = raw === undefined || raw.byteLength > MAX_CERTIFICATE_BYTES ? null : certificateOf(raw);
  return leaf === null ? null : { bundle, leaf };
}

/** The older layout of cosign as a bundle of the first version, which says the same (sigstore/cosign specs/SIGNATURE_SPEC.md). Null when there is no certificate. */
export function bundleOfDetached({ payload, signature, certificate, logBundle, timestamp }: Detached): JsonObject | null {
  const leaf = certificate.length > 4 * MAX_CERTIFICATE_BYTES ? null : certificateOf(certificate);
  if (leaf === null) return null;
  const stamp = timestamp === null ? undefined : textAt(parseJson(timestamp), 'SignedRFC3161Timestamp');
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: leaf.raw.toString('base64') }] },
      tlogEntries: logBundle === null ? [] : [entryOf(parseJson(logBundle))],
      ...(stamp === undefined ? {} : { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: stamp }] } }),
    },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: createHash('sha256').update(payload).digest('base64') },
      signature,
    },
  };
}

/** The log's promise, with the type of entry that its body says: the verification compares the two. */
function entryOf(bundle: Json): JsonObject {
  const body = textAt(bundle, 'Payload', 'body') ?? '';
  const entry = parseJson(Buffer.from(body, 'base64').toString('utf8'));
  return {
    logIndex: integerAt(bundle, 'logIndex'),
    logId: { keyId: Buffer.from(textAt(bundle, 'Payload', 'logID') ?? '', 'hex').toString('base64') },
    kindVersion: { kind: textAt(entry, 'kind') ?? '', version: textAt(entry, 'apiVersion') ?? '' },
    integratedTime: integerAt(bundle, 'integratedTime'),
    inclusionPromise: { signedEntryTimestamp: textAt(bundle, 'SignedEntryTimestamp') ?? '' },
    canonicalizedBody: body,
  };
}

/** Throws SyntaxError for what is no integer. */
function integerAt(bundle: Json, name: string): string {
  const value = at(bundle, 'Payload', name);
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) return String(value);
  throw new SyntaxError('no integer');
}

/** Throws SyntaxError or TypeError for what is no JSON object. */
export function objectIn(bytes: Uint8Array): JsonObject {
  const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (!isObject(value)) throw new SyntaxError('no JSON object');
  return value;
}
