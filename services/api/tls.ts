import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { issueCertificate, type KeyAndCertificate } from '#adapters/x509/issue.ts';
import { isHalfLifeOver } from '#adapters/x509/life.ts';
import type { Config } from '#core/config.ts';
import type { Log } from '#core/log.ts';

export type ServerCertificate = Readonly<{
  current(): KeyAndCertificate;
  /** Null when the certificate is the operator's. */
  caPem: string | null;
  /** Exchanges the certificate of a running server at half of its life. */
  renewInto(server: unknown): void;
  stop(): void;
}>;
type Parts = Readonly<{
  config: Pick<Config, 'tlsCertFile' | 'tlsKeyFile' | 'publicUrl'>;
  authority: KeyAndCertificate;
  nowMs: () => number;
  log: Log;
}>;

const VALID_MS = 60 * 24 * 60 * 60 * 1_000;
const LOOK_MS = 60 * 60 * 1_000;

/** The operator's certificate, or one of our own authority for this machine's names, renewed without a restart. */
export async function openServerTls({ config, authority, nowMs, log }: Parts): Promise<ServerCertificate> {
  const { tlsCertFile, tlsKeyFile, publicUrl } = config;
  if (tlsCertFile !== null && tlsKeyFile !== null) {
    const given = { certificatePem: await readFile(tlsCertFile, 'utf8'), keyPem: await readFile(tlsKeyFile, 'utf8') };
    return { current: () => given, caPem: null, renewInto: () => undefined, stop: () => undefined };
  }
  const state = { current: await issue(publicUrl, authority, nowMs()) };
  const timers: ReturnType<typeof setInterval>[] = [];
  const renew = async (server: unknown): Promise<void> => {
    if (!isHalfLifeOver(state.current.certificatePem, nowMs())) return;
    state.current = await issue(publicUrl, authority, nowMs());
    if (hasSecureContext(server)) server.setSecureContext({ cert: state.current.certificatePem, key: state.current.keyPem });
  };
  return {
    current: () => state.current,
    caPem: authority.certificatePem,
    renewInto: (server) => {
      const look = (): void =>
        void renew(server).catch((error: unknown) => log.error({ error }, 'the server certificate could not be renewed'));
      timers.push(setInterval(look, LOOK_MS).unref());
    },
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

type WithContext = Server & { setSecureContext(options: Readonly<{ cert: string; key: string }>): void };

function hasSecureContext(server: unknown): server is WithContext {
  return typeof server === 'object' && server !== null && 'setSecureContext' in server;
}

function issue(publicUrl: string | null, authority: KeyAndCertificate, nowMs: number): Promise<KeyAndCertificate> {
  const host = publicUrl === null ? null : new URL(publicUrl).hostname;
  const isAddress = host !== null && /^[0-9.]+$|^\[/.test(host);
  return issueCertificate(authority, {
    commonName: 'weir',
    usage: 'server',
    names: [...new Set(['localhost', hostname(), ...(host === null || isAddress ? [] : [host])])],
    addresses: [...new Set(['127.0.0.1', '::1', ...(host !== null && isAddress ? [host.replace(/^\[|\]$/g, '')] : [])])],
    validMs: VALID_MS,
    nowMs,
  });
}
