import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { canonicalJson, type JsonObject } from '#core/json.ts';
import { type Certified, certifyAuthority, certifySigner, type LeafRequest } from './certificates.ts';

/** A Sigstore of this process: an authority with an intermediate, a log of certificates, and a log of signatures. Nothing of it is on the network. */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ORIGIN = 'log.test.example';

export type LogEntry = Readonly<Record<string, unknown>>;
export type SignerRequest = Partial<LeafRequest> & Readonly<{ logged?: boolean }>;
export type TestSigstore = Readonly<{
  trustedRoot(edit?: (root: Record<string, unknown>) => void): Buffer;
  signer(request?: SignerRequest): Promise<Certified>;
  /** Enters a body, and answers the entry with promise and proof. */
  enter(kind: string, version: string, body: JsonObject, atMs?: number): LogEntry;
  intermediate: Certified;
  root: Certified;
}>;

type Log = Readonly<{ key: KeyObject; spki: Buffer; id: Buffer }>;

function newLog(): Log {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return { key: privateKey, spki, id: createHash('sha256').update(spki).digest() };
}

export const RELEASER = 'https://github.example/acme/app/.github/workflows/release.yaml@refs/heads/main';
export const ISSUER = 'https://token.actions.example';

export async function openSigstore({ intermediateEndsMs = DAY }: Readonly<{ intermediateEndsMs?: number }> = {}): Promise<TestSigstore> {
  const now = Date.now();
  const root = await certifyAuthority('test root', { from: new Date(now - DAY), to: new Date(now + DAY) }, null);
  const intermediate = await certifyAuthority(
    'test intermediate',
    { from: new Date(now - DAY), to: new Date(now + intermediateEndsMs) },
    root,
  );
  const [log, ct] = [newLog(), newLog()];
  return Object.freeze({
    root,
    intermediate,
    trustedRoot(edit = () => undefined) {
      const made: Record<string, unknown> = {
        mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
        tlogs: [instance(log, `https://${ORIGIN}`)],
        certificateAuthorities: [
          {
            subject: { organization: 'test', commonName: 'test' },
            uri: 'https://ca.test.example',
            certChain: { certificates: [intermediate, root].map(({ certificate }) => ({ rawBytes: base64(certificate.rawData) })) },
            validFor: { start: new Date(now - DAY).toISOString() },
          },
        ],
        ctlogs: [instance(ct, 'https://ct.test.example')],
        timestampAuthorities: [],
      };
      edit(made);
      return Buffer.from(JSON.stringify(made));
    },
    signer: ({ logged = true, ...request } = {}) =>
      certifySigner(intermediate, {
        subject: { type: 'url', value: RELEASER },
        issuer: ISSUER,
        span: { from: new Date(now - MINUTE), to: new Date(now + 9 * MINUTE) },
        ct: logged ? ct : null,
        ...request,
      }),
    enter: (kind, version, body, atMs = now) => entered(log, { kind, version }, Buffer.from(canonicalJson(body)), atMs),
  } satisfies TestSigstore);
}

function instance({ spki, id }: Log, baseUrl: string) {
  const publicKey = { rawBytes: base64(spki), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: { start: new Date(0).toISOString() } };
  return { baseUrl, hashAlgorithm: 'SHA2_256', publicKey, logId: { keyId: base64(id) } };
}

/** A log with this one entry: promise (sigstore/rekor types) and proof with checkpoint (transparency-dev/formats log/README.md). */
function entered(log: Log, kindVersion: Readonly<{ kind: string; version: string }>, body: Buffer, atMs: number): LogEntry {
  const integratedTime = Math.floor(atMs / 1_000);
  const promise = canonicalJson({ body: base64(body), integratedTime, logID: log.id.toString('hex'), logIndex: 0 });
  const leaf = createHash('sha256')
    .update(Buffer.from([0]))
    .update(body)
    .digest();
  const note = `${ORIGIN}\n1\n${base64(leaf)}\n`;
  const signature = Buffer.concat([log.id.subarray(0, 4), sign('sha256', Buffer.from(note), log.key)]);
  return {
    logIndex: '0',
    logId: { keyId: base64(log.id) },
    kindVersion,
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: base64(sign('sha256', Buffer.from(promise), log.key)) },
    inclusionProof: {
      logIndex: '0',
      rootHash: base64(leaf),
      treeSize: '1',
      hashes: [],
      checkpoint: { envelope: `${note}\n\u2014 ${ORIGIN} ${base64(signature)}\n` },
    },
    canonicalizedBody: base64(body),
  };
}

export function base64(bytes: ArrayBuffer | Uint8Array): string {
  return Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes).toString('base64');
}
