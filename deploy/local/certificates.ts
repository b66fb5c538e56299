import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueCertificate, type KeyAndCertificate } from '#adapters/x509/issue.ts';
import { keepAuthority } from '#adapters/x509/store.ts';

const dayMs = 86_400_000;
const localNames = ['localhost'] as const;
const localAddresses = ['127.0.0.1', '::1'] as const;

/** The authority that all local parts share, and the file in which others find its certificate. */
export type LocalAuthority = KeyAndCertificate & Readonly<{ certificateFile: string }>;

/** Opens, or makes, the authority kept in `dir`; its certificate alone is written to `ca.crt` for curl, git and kubectl. */
export async function openLocalAuthority(dir: string, commonName: string): Promise<LocalAuthority> {
  const authority = await keepAuthority(dir, 'ca', { commonName, validMs: 3_650 * dayMs, nowMs: Date.now() });
  const certificateFile = join(dir, 'ca.crt');
  await writeFile(certificateFile, authority.certificatePem, { mode: 0o644 });
  return { ...authority, certificateFile };
}

/** A certificate for a server on this machine (localhost, 127.0.0.1, ::1), good for 30 days: such servers do not live longer. */
export function localServerCertificate(authority: KeyAndCertificate, commonName: string): Promise<KeyAndCertificate> {
  const request = {
    commonName,
    usage: 'server',
    names: localNames,
    addresses: localAddresses,
    validMs: 30 * dayMs,
    nowMs: Date.now(),
  } as const;
  return issueCertificate(authority, request);
}
