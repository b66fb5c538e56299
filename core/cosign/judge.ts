import type { Attested, SigstoreIdentity, SigstoreRoot } from '../sigstore.ts';
import {
  bundleSigned,
  claimAbout,
  type KeyTrust,
  type NotSigned,
  SIGNATURE_ANNOTATION,
  type Signed,
  simpleSigned,
  statementAbout,
} from './signed.ts';

/** `by` goes on after "verified signature … by". */
export type Judgement = Readonly<{ is: 'signed'; by: string }> | NotSigned;
/** Says of one signature whether somebody who is trusted made it for this very digest. Both are pure. */
export type Judge = Readonly<{
  simple(payload: Uint8Array, annotations: Readonly<Record<string, string>>, digest: string): Judgement;
  bundle(bytes: Uint8Array, digest: string): Judgement;
}>;

/** Annotations of cosign's older layout (sigstore/cosign specs/SIGNATURE_SPEC.md). */
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const LOG_BUNDLE = 'dev.sigstore.cosign/bundle';
const TIMESTAMP = 'dev.sigstore.cosign/rfc3161timestamp';

/** By the keys of a Secret. */
export function keyJudge(trust: KeyTrust): Judge {
  return Object.freeze({
    simple: (payload, annotations, digest) => byKey(simpleSigned(trust, payload, annotations[SIGNATURE_ANNOTATION] ?? '', digest)),
    bundle: (bytes, digest) => byKey(bundleSigned(trust, bytes, digest)),
  } satisfies Judge);
}

function byKey(signed: Signed): Judgement {
  return signed.is === 'signed' ? { is: 'signed', by: `key ${signed.key}` } : signed;
}

/** By certificates of the root's authorities, for an identity that is asked for. */
export function keylessJudge(root: SigstoreRoot, isWanted: (identity: SigstoreIdentity) => boolean): Judge {
  const judged = (attested: Attested, about: (payload: Uint8Array) => NotSigned | null): Judgement => {
    if (attested.is === 'not') return attested;
    const wrong = about(attested.payload);
    if (wrong !== null) return wrong;
    const shown = `identity ${attested.identity.subject} of issuer ${attested.identity.issuer}`;
    return isWanted(attested.identity) ? { is: 'signed', by: shown } : { is: 'not', why: `${shown} is none that is asked for` };
  };
  return Object.freeze({
    simple(payload, annotations, digest) {
      const certificate = annotations[CERTIFICATE];
      if (certificate === undefined) return { is: 'not', why: 'it has no certificate' };
      const attested = root.detached({
        payload,
        signature: annotations[SIGNATURE_ANNOTATION] ?? '',
        certificate,
        logBundle: annotations[LOG_BUNDLE] ?? null,
        timestamp: annotations[TIMESTAMP] ?? null,
      });
      return judged(attested, (bytes) => claimAbout(bytes, digest));
    },
    bundle: (bytes, digest) => judged(root.bundle(bytes), (payload) => statementAbout(payload, digest)),
  } satisfies Judge);
}
