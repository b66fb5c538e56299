import { createHash, sign } from 'node:crypto';
import { BUNDLE_TYPE, claimOf, type SignatureLayer, type Statement, signatureLayer } from '#tests/oci-repository/sign.ts';
import { base64, type LogEntry, type TestSigstore } from './authority.ts';
import type { Certified } from './certificates.ts';

/** Keyless signatures as `cosign sign` makes them, in the bundle of release 3 and in the older layout below a tag. */

const IN_TOTO = 'application/vnd.in-toto+json';

export type BundleParts = Readonly<{ certificate: string; entries: readonly LogEntry[]; payload: Buffer; signature: Buffer }>;

/** The parts of a bundle, so that a test can put those of several together. */
export function bundleParts(
  sigstore: TestSigstore,
  by: Certified,
  { digest, predicateType = 'https://sigstore.dev/cosign/sign/v1', type = 'https://in-toto.io/Statement/v1' }: Statement,
  atMs?: number,
): BundleParts {
  const payload = Buffer.from(
    JSON.stringify({ _type: type, subject: [{ digest: { sha256: digest.slice(7) } }], predicateType, predicate: {} }),
  );
  const signature = sign('sha256', Buffer.concat([Buffer.from(`DSSEv1 ${IN_TOTO.length} ${IN_TOTO} ${payload.length} `), payload]), by.key);
  const hash = { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') };
  const spec = {
    envelopeHash: hash,
    payloadHash: hash,
    signatures: [{ signature: base64(signature), verifier: base64(Buffer.from(pemOf(by))) }],
  };
  const entry = sigstore.enter('dsse', '0.0.1', { apiVersion: '0.0.1', kind: 'dsse', spec }, atMs);
  return { certificate: base64(by.certificate.rawData), entries: [entry], payload, signature };
}

export function bundleOfParts({ certificate, entries, payload, signature }: BundleParts): Buffer {
  return Buffer.from(
    JSON.stringify({
      mediaType: BUNDLE_TYPE,
      verificationMaterial: {
        certificate: { rawBytes: certificate },
        tlogEntries: entries,
        timestampVerificationData: { rfc3161Timestamps: [] },
      },
      dsseEnvelope: { payload: base64(payload), payloadType: IN_TOTO, signatures: [{ sig: base64(signature), keyid: '' }] },
    }),
  );
}

export function keylessBundle(sigstore: TestSigstore, by: Certified, statement: Statement, atMs?: number): Buffer {
  return bundleOfParts(bundleParts(sigstore, by, statement, atMs));
}

/** One layer below the signature tag, with certificate and log bundle in its annotations. */
export function keylessLayer(
  sigstore: TestSigstore,
  by: Certified,
  digest: string,
  of: string = digest,
): SignatureLayer & Readonly<{ annotations: Readonly<Record<string, string>> }> {
  const payload = claimOf({ digest });
  const signature = sign('sha256', payload, by.key);
  const value = createHash('sha256')
    .update(claimOf({ digest: of }))
    .digest('hex');
  const spec = {
    data: { hash: { algorithm: 'sha256', value } },
    signature: { content: base64(signature), publicKey: { content: base64(Buffer.from(pemOf(by))) } },
  };
  const entry = sigstore.enter('hashedrekord', '0.0.1', { apiVersion: '0.0.1', kind: 'hashedrekord', spec });
  const { annotations, ...layer } = signatureLayer(payload, signature);
  return {
    ...layer,
    annotations: {
      ...annotations,
      'dev.sigstore.cosign/certificate': pemOf(by),
      'dev.sigstore.cosign/bundle': logBundle(entry),
    },
  };
}

/** As cosign writes the promise of the log into an annotation. */
function logBundle(entry: LogEntry): string {
  const { logId, inclusionPromise, integratedTime, canonicalizedBody } = JSON.parse(JSON.stringify(entry));
  return JSON.stringify({
    SignedEntryTimestamp: inclusionPromise.signedEntryTimestamp,
    Payload: {
      body: canonicalizedBody,
      integratedTime: Number(integratedTime),
      logIndex: 0,
      logID: Buffer.from(logId.keyId, 'base64').toString('hex'),
    },
  });
}

export function pemOf({ certificate }: Certified): string {
  return `${certificate.toString('pem')}\n`;
}
