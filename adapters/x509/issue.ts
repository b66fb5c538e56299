// The library asks for the metadata polyfill before it is loaded.
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key (P-256, PKCS #8), both PEM. The key is secret. */
export type KeyAndCertificate = Readonly<{ certificatePem: string; keyPem: string }>;

export type AuthorityRequest = Readonly<{ commonName: string; validMs: number; nowMs: number }>;

export type CertificateRequest = Readonly<{
  commonName: string;
  /** Kubernetes reads groups from these. */
  organizations?: readonly string[];
  usage: 'server' | 'client';
  /** Host names, for servers. */
  names?: readonly string[];
  /** IPv4 and IPv6 addresses, for servers. */
  addresses?: readonly string[];
  validMs: number;
  nowMs: number;
}>;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const signing = { name: 'ECDSA', hash: 'SHA-256' } as const;
/** Clocks differ: a certificate counts from a little earlier than it was made. */
const clockSkewMs = 5 * 60_000;

/** A new certificate authority, signed by itself, that may sign leaves only (RFC 5280, path length 0). */
export async function createAuthority(request: AuthorityRequest): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...frame(request),
    name: [{ CN: [request.commonName] }],
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pem(certificate), keyPem: await exportPrivateKey(keys.privateKey) };
}

/** A new leaf certificate for one server or one client, signed by the authority, with a new key. Throws when the authority's PEM cannot be read. */
export async function issueCertificate(authority: KeyAndCertificate, request: CertificateRequest): Promise<KeyAndCertificate> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const signingKey = await importPrivateKey(authority.keyPem);
  const keys = await generateKeys();
  const alternatives = [
    ...(request.names ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.addresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const organizations = request.organizations ?? [];
  const certificate = await x509.X509CertificateGenerator.create({
    ...frame(request),
    subject: [{ CN: [request.commonName] }, ...organizations.map((name) => ({ O: [name] }))],
    issuer: issuer.subjectName.toJSON(),
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        request.usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      ...(alternatives.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(alternatives)]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: pem(certificate), keyPem: await exportPrivateKey(keys.privateKey) };
}

function frame(request: Readonly<{ validMs: number; nowMs: number }>): {
  serialNumber: string;
  notBefore: Date;
  notAfter: Date;
  signingAlgorithm: typeof signing;
} {
  return {
    serialNumber: serialNumber(),
    notBefore: new Date(request.nowMs - clockSkewMs),
    notAfter: new Date(request.nowMs + request.validMs),
    signingAlgorithm: signing,
  };
}

/** 127 random bits in 16 bytes: positive, never zero, no leading zero byte (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

async function importPrivateKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(keyPem), algorithm, false, ['sign']);
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
