import 'reflect-metadata';
import { createHash, createPrivateKey, type KeyObject, randomBytes, sign, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** Certificates as Fulcio issues them (sigstore/fulcio docs/certificate-specification.md), by an authority of this process. */

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;
const ISSUER = '1.3.6.1.4.1.57264.1.8';
const SCTS = '1.3.6.1.4.1.11129.2.4.2';

export type Certified = Readonly<{ certificate: x509.X509Certificate; keys: webcrypto.CryptoKeyPair; key: KeyObject }>;
export type Span = Readonly<{ from: Date; to: Date }>;

async function newKeys() {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  return {
    keys,
    key: createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)), format: 'der', type: 'pkcs8' }),
  };
}

/** A root without `by`, else an intermediate below it. */
export async function certifyAuthority(commonName: string, { from, to }: Span, by: Certified | null): Promise<Certified> {
  const { keys, key } = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex'),
    subject: [{ CN: [commonName] }],
    issuer: by === null ? [{ CN: [commonName] }] : by.certificate.subjectName.toJSON(),
    notBefore: from,
    notAfter: to,
    publicKey: keys.publicKey,
    signingKey: (by ?? { keys }).keys.privateKey,
    signingAlgorithm: signing,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys, key };
}

export type LeafRequest = Readonly<{
  subject: Readonly<{ type: 'url' | 'email'; value: string }>;
  issuer: string;
  span: Span;
  usage?: x509.ExtendedKeyUsage;
  /** The log of certificates that saw it; null: none did. */
  ct: Readonly<{ key: KeyObject; id: Buffer }> | null;
}>;

export async function certifySigner(by: Certified, { subject, issuer, span, usage, ct }: LeafRequest): Promise<Certified> {
  const { keys, key } = await newKeys();
  const serialNumber = `1${randomBytes(7).toString('hex')}0`;
  const extensions: x509.Extension[] = [
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([usage ?? x509.ExtendedKeyUsage.codeSigning]),
    await x509.AuthorityKeyIdentifierExtension.create(by.certificate),
    new x509.SubjectAlternativeNameExtension([subject], true),
    new x509.Extension(ISSUER, false, utf8(issuer)),
  ];
  const issue = (more: readonly x509.Extension[]) =>
    x509.X509CertificateGenerator.create({
      serialNumber,
      subject: '',
      issuer: by.certificate.subjectName.toJSON(),
      notBefore: span.from,
      notAfter: span.to,
      publicKey: keys.publicKey,
      signingKey: by.keys.privateKey,
      signingAlgorithm: signing,
      extensions: [...extensions, ...more],
    });
  const before = await issue([]);
  if (ct === null) return { certificate: before, keys, key };
  const stamps = timestamps(ct, Buffer.from(tbsOf(before)), Buffer.from(by.certificate.publicKey.rawData), span.from);
  return { certificate: await issue([new x509.Extension(SCTS, false, octets(stamps))]), keys, key };
}

/** The signed part: the first element of the certificate. */
function tbsOf(certificate: x509.X509Certificate): Uint8Array {
  const raw = Buffer.from(certificate.rawData);
  const start = headerLength(raw);
  const inner = raw.subarray(start);
  return inner.subarray(0, headerLength(inner) + contentLength(inner));
}

function contentLength(der: Buffer): number {
  const first = der[1] ?? 0;
  return first < 0x80 ? first : der.readUIntBE(2, first & 0x7f);
}

function headerLength(der: Buffer): number {
  const first = der[1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

/** RFC 6962 section 3.2 and 3.3: one timestamp over the certificate as it was before. */
function timestamps(ct: Readonly<{ key: KeyObject; id: Buffer }>, tbs: Buffer, issuerKey: Buffer, at: Date): Buffer {
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(at.getTime()));
  const signed = Buffer.concat([
    Buffer.from([0, 0]),
    time,
    Buffer.from([0, 1]),
    createHash('sha256').update(issuerKey).digest(),
    number(tbs.length, 3),
    tbs,
    Buffer.from([0, 0]),
  ]);
  const signature = sign('sha256', signed, ct.key);
  const one = Buffer.concat([Buffer.from([0]), ct.id, time, Buffer.from([0, 0, 4, 3]), number(signature.length, 2), signature]);
  return Buffer.concat([number(one.length + 2, 2), number(one.length, 2), one]);
}

function number(value: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  made.writeUIntBE(value, 0, bytes);
  return made;
}

const octets = (bytes: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.concat([der(0x04, bytes.length), bytes]));
const utf8 = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = Buffer.from(text, 'latin1');
  return new Uint8Array(Buffer.concat([der(0x0c, bytes.length), bytes]));
};
const der = (tag: number, length: number): Buffer =>
  length < 0x80
    ? Buffer.from([tag, length])
    : length < 0x100
      ? Buffer.from([tag, 0x81, length])
      : Buffer.from([tag, 0x82, length >> 8, length & 0xff]);
