import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type AuthorityRequest,
  type CertificateRequest,
  createAuthority,
  issueCertificate,
  type KeyAndCertificate,
} from '#adapters/x509/issue.ts';
import { isHalfLifeOver } from '#adapters/x509/life.ts';

/**
 * The authority kept in `<dir>/<name>.pem`; made when absent. It is never replaced by itself, since people trust it: an expired one throws.
 * One process at a time; the file has mode 0600.
 */
export async function keepAuthority(dir: string, name: string, request: AuthorityRequest): Promise<KeyAndCertificate> {
  const kept = await read(dir, name);
  if (kept === null) return write(dir, name, await createAuthority(request));
  const expiresMs = new X509Certificate(kept.certificatePem).validToDate.getTime();
  if (expiresMs > request.nowMs) return kept;
  throw new Error(
    `the certificate authority in ${join(dir, `${name}.pem`)} expired; move the file away to make a new one, and trust that one`,
  );
}

/**
 * The leaf kept in `<dir>/<name>.pem`, issued again when half of its life is over, when another authority signed it, or when it lacks
 * one of the names or addresses asked for. One process at a time; the file has mode 0600.
 */
export async function keepCertificate(
  dir: string,
  name: string,
  authority: KeyAndCertificate,
  request: CertificateRequest,
): Promise<KeyAndCertificate> {
  const kept = await read(dir, name);
  if (kept !== null && isStillGood(kept, authority, request)) return kept;
  return write(dir, name, await issueCertificate(authority, request));
}

function isStillGood(kept: KeyAndCertificate, authority: KeyAndCertificate, request: CertificateRequest): boolean {
  const certificate = new X509Certificate(kept.certificatePem);
  if (isHalfLifeOver(kept.certificatePem, request.nowMs)) return false;
  if (!certificate.verify(new X509Certificate(authority.certificatePem).publicKey)) return false;
  const hasNames = (request.names ?? []).every((host) => certificate.checkHost(host) !== undefined);
  return hasNames && (request.addresses ?? []).every((address) => certificate.checkIP(address) !== undefined);
}

async function read(dir: string, name: string): Promise<KeyAndCertificate | null> {
  const path = join(dir, `${name}.pem`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const end = text.indexOf('-----BEGIN PRIVATE KEY-----');
  if (end === -1) throw new Error(`${path} holds no private key; move it away to make a new one`);
  return { certificatePem: text.slice(0, end), keyPem: text.slice(end) };
}

/** Certificate and key in one file, so that no reader sees one without the other. */
async function write(dir: string, name: string, pair: KeyAndCertificate): Promise<KeyAndCertificate> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, `${name}.pem`);
  await writeFile(`${path}.new`, pair.certificatePem + pair.keyPem, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return pair;
}
