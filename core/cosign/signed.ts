import { at, isObject, type Json, parseJson, textAt } from '../json.ts';
import { type Prehashed, signerOf, type TrustedKey } from './keys.ts';

/** Which key signed for a digest, or why this is no signature for it. A text that cannot be read is none (threats J2). */
export type Signed = Readonly<{ is: 'signed'; key: string }> | NotSigned;
export type NotSigned = Readonly<{ is: 'not'; why: string }>;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const SIMPLE_TYPE = 'cosign container image signature';
const IN_TOTO = 'application/vnd.in-toto+json';
const STATEMENT = 'https://in-toto.io/Statement/v1';
const OLD_STATEMENT = 'https://in-toto.io/Statement/v0.1';
/** What cosign writes for a signature; any other predicate of the same key (an SBOM, a test report) says something else. */
const SIGNATURE_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Media type of the layers below the tag `sha256-<hex>.sig`, and the annotation with their signature (sigstore/cosign specs/SIGNATURE_SPEC.md). */
export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
/** Artifact types of bundles that refer to an image (sigstore/cosign specs/BUNDLE_SPEC.md). */
export const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.[0-9]{1,2}\+json|\+json;version=0\.[0-9]{1,2})$/;

/** The trusted keys, and what verifies for those that node:crypto cannot serve. */
export type KeyTrust = Readonly<{ keys: readonly TrustedKey[]; isPrehashedBy: Prehashed }>;

/** A simple signing payload with its detached signature. What is signed must name this very digest (threats J1). Pure. */
export function simpleSigned(trust: KeyTrust, payload: Uint8Array, signature: string, digest: string): Signed {
  const raw = bytesOf(signature);
  if (raw === null) return not('its signature is no base64');
  const key = signerOf(trust.keys, payload, raw, trust.isPrehashedBy);
  if (key === null) return not('no key fits its signature');
  return claimAbout(payload, digest) ?? { is: 'signed', key };
}

/** A Sigstore bundle whose DSSE envelope holds an in-toto statement about this digest (secure-systems-lab/dsse protocol.md). Pure. */
export function bundleSigned(trust: KeyTrust, bundle: Uint8Array, digest: string): Signed {
  const envelope = at(jsonOf(bundle), 'dsseEnvelope');
  const type = textAt(envelope, 'payloadType');
  const payload = bytesOf(textAt(envelope, 'payload') ?? '');
  const signatures = at(envelope, 'signatures');
  if (type !== IN_TOTO || payload === null || !Array.isArray(signatures)) return not('the bundle holds no in-toto statement');
  // The specification allows one signature only: a threshold is nobody's meaning here.
  const raw = signatures.length === 1 ? bytesOf(textAt(signatures[0], 'sig') ?? '') : null;
  if (raw === null) return not('the bundle holds no single signature');
  const key = signerOf(trust.keys, preAuthenticated(type, payload), raw, trust.isPrehashedBy);
  if (key === null) return not('no key fits the signature of the bundle');
  return statementAbout(payload, digest) ?? { is: 'signed', key };
}

/** Null when a payload of simple signing is cosign's claim about this digest. Who signed it is the caller's. Pure. */
export function claimAbout(payload: Uint8Array, digest: string): NotSigned | null {
  const claim = jsonOf(payload);
  if (textAt(claim, 'critical', 'type') !== SIMPLE_TYPE) return not('what is signed is no signature of cosign');
  return textAt(claim, 'critical', 'image', 'docker-manifest-digest') === digest ? null : not('it is for another digest');
}

/** Null when an in-toto statement is cosign's signature of this digest. Who signed it is the caller's. Pure. */
export function statementAbout(payload: Uint8Array, digest: string): NotSigned | null {
  const statement = jsonOf(payload);
  const format = textAt(statement, '_type');
  if (format !== STATEMENT && format !== OLD_STATEMENT) return not('the bundle holds no in-toto statement');
  if (textAt(statement, 'predicateType') !== SIGNATURE_PREDICATE) return not('the bundle is an attestation and no signature');
  const subjects = at(statement, 'subject');
  const hex = digest.slice('sha256:'.length);
  return Array.isArray(subjects) && subjects.some((one) => textAt(one, 'digest', 'sha256') === hex)
    ? null
    : not('it is for another digest');
}

function preAuthenticated(type: string, payload: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.byteLength} `), payload]);
}

function bytesOf(text: string): Uint8Array | null {
  return text.length % 4 === 0 && BASE64.test(text) ? Buffer.from(text, 'base64') : null;
}

/** Null for what is no JSON object. */
function jsonOf(bytes: Uint8Array): Json {
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(value) ? value : null;
  } catch (error) {
    // Bad JSON is a SyntaxError, bad UTF-8 a TypeError; neither is a signature.
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function not(why: string): NotSigned {
  return { is: 'not', why };
}
