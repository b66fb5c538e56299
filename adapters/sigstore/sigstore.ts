import type { KeyObject, X509Certificate } from 'node:crypto';
import { type SignedEntity, type Signer, toSignedEntity, VerificationError, Verifier } from '@sigstore/verify';
import type { JsonObject } from '#core/json.ts';
import type { Attested, Detached, Sigstore, SigstoreIdentity, SigstoreRoot } from '#core/sigstore.ts';
import { bundleOfDetached, type Evidence, evidenceOf, objectIn } from './bundles.ts';
import { namesSigner } from './log-entry.ts';
import { isPrehashedBy } from './prehashed.ts';
import { keyOf, readTrustedRoot, type Trust } from './trusted-root.ts';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
/** The issuer in Fulcio's certificates (sigstore/fulcio docs/oid-info.md): the second form where there is one. */
const ISSUERS: readonly string[] = Object.freeze(['1.3.6.1.4.1.57264.1.8', '1.3.6.1.4.1.57264.1.1']);
const IN_TOTO = 'application/vnd.in-toto+json';
const MAX_NAME = 1_024;

/** Keyless verification by the library of the Sigstore project, offline. Throws Error when the operator's root cannot be read: without it the plane must not start. */
export function createSigstore(operatorRoot: Readonly<{ file: string; json: Uint8Array }> | null): Sigstore {
  const own = operatorRoot === null ? null : readTrustedRoot(operatorRoot.json);
  if (own?.is === 'invalid') throw new Error(`${operatorRoot?.file ?? ''} (WEIR_SIGSTORE_TRUSTED_ROOT) ${own.message}`);
  return Object.freeze({
    root(json: Uint8Array) {
      const read = readTrustedRoot(json);
      return read.is === 'invalid' ? read : ({ is: 'root', root: rootOf(read.trust) } as const);
    },
    operatorRoot: own === null ? null : rootOf(own.trust),
    isPrehashedBy: (key: KeyObject, bytes: Uint8Array, signature: Uint8Array) => isPrehashedBy(key, bytes, signature),
  } satisfies Sigstore);
}

function rootOf(trust: Trust): SigstoreRoot {
  return Object.freeze({
    bundle: (bytes: Uint8Array) =>
      judged(() => {
        const evidence = evidenceOf(objectIn(bytes));
        if (evidence?.bundle.content.$case !== 'dsseEnvelope') return not('the bundle holds no certificate, or no signed statement');
        const { payload, payloadType } = evidence.bundle.content.dsseEnvelope;
        if (payloadType !== IN_TOTO) return not('the bundle holds no in-toto statement');
        return verified(trust, evidence, undefined, payload);
      }),
    detached: (signature: Detached) =>
      judged(() => {
        const bundle: JsonObject | null = bundleOfDetached(signature);
        const evidence = bundle === null ? null : evidenceOf(bundle);
        if (evidence === null) return not('its certificate cannot be read');
        return verified(trust, evidence, Buffer.from(signature.payload), signature.payload);
      }),
  });
}

/** Denied unless proven (threats J2): whatever the parsers and the library throw over bytes of strangers, a stack that ran out included, it is no signature. */
function judged(judge: () => Attested): Attested {
  try {
    return judge();
  } catch (error) {
    if (error instanceof VerificationError) return not(WORDS[error.code] ?? 'it does not verify');
    return not('it cannot be read');
  }
}

/** In our words: the library's own quote the certificate. */
const WORDS: Readonly<Record<string, string>> = Object.freeze({
  CERTIFICATE_ERROR: 'its certificate is of no trusted authority, or was not valid when it was signed, or is in no trusted log',
  PUBLIC_KEY_ERROR: 'it has no certificate',
  SIGNATURE_ERROR: 'its signature does not fit',
  TIMESTAMP_ERROR: 'no trusted authority says when it was signed',
  TLOG_BODY_ERROR: 'the entry of the log is of another signature',
  TLOG_ERROR: 'it has no entry of a trusted log, or one twice',
  TLOG_INCLUSION_PROMISE_ERROR: 'its entry is in no trusted log',
  TLOG_INCLUSION_PROOF_ERROR: 'its entry is in no trusted log',
  TLOG_MISSING_INCLUSION_ERROR: 'its entry is in no trusted log',
});

function verified(trust: Trust, { bundle, leaf }: Evidence, artifact: Buffer | undefined, payload: Uint8Array): Attested {
  if (!maySign(trust, leaf)) return not('its certificate is not for signing code');
  const { material, ctlogThreshold, tlogThreshold } = trust;
  const entity: SignedEntity = toSignedEntity(bundle, artifact);
  const signer = new Verifier(material, { ctlogThreshold, tlogThreshold, timestampThreshold: 1 }).verify(entity);
  if (!bundle.verificationMaterial.tlogEntries.every((entry) => namesSigner(entry, leaf)))
    return not('the entry of the log names another signer');
  const identity = identityOf(signer);
  return identity === null ? not('its certificate names no identity that can be compared') : { is: 'signed', identity, payload };
}

/** Not one of an authority itself, and with a key of its own: else the library's search for paths would not end. */
function maySign({ authorityKeys }: Trust, leaf: X509Certificate): boolean {
  return !leaf.ca && leaf.keyUsage?.includes(CODE_SIGNING) === true && !authorityKeys.has(keyOf(leaf));
}

/**
 * Subject and issuer as the certificate has them. The library reads bytes as ASCII and drops their highest bit, so that `á` would be `a`: a text that is not in the certificate byte
 * by byte is none (threats J4).
 */
function identityOf({ identity }: Signer): SigstoreIdentity | null {
  const subject = identity?.subjectAlternativeName ?? '';
  const issuer = identity?.extensions?.issuer ?? '';
  const raw = (ids: readonly string[]): readonly Buffer[] =>
    (identity?.oids ?? []).filter(({ oid }) => ids.includes(oid?.id.join('.') ?? '')).map(({ value }) => value);
  const isIn = (text: string, ids: readonly string[]): boolean =>
    text !== '' &&
    text.length <= MAX_NAME &&
    /^[\u0021-\u007e]+$/.test(text) &&
    raw(ids).some((bytes) => bytes.includes(text, 0, 'latin1'));
  return isIn(subject, [SUBJECT_ALTERNATIVE_NAME]) && isIn(issuer, ISSUERS) ? { issuer, subject } : null;
}

function not(why: string): Attested {
  return { is: 'not', why };
}
