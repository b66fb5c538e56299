import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { issueCertificate, type KeyAndCertificate } from '#adapters/x509/issue.ts';
import { isHalfLifeOver } from '#adapters/x509/life.ts';
import type { Config } from '#core/config.ts';

export type ServerCertificate = Readonly<{
  current(): KeyAndCertificate /** Null when the certificate is the operator's. */;
  caPem: string | null /** Exchanges the certificate of a running server at half of its life. */;
  renewInto(server: unknown): void;
  stop(): void;
}>;

const VALID_MS = 60 * 24 * 60 * 60 * 1_000;
const LOOK_MS = 60 * 60 * 1_000;

/** The operator's certificate, or one of our own authority for this machine's names, renewed without a restart. */
export async function openServerTls(config: Config, authority: KeyAndCertificate): Promise<ServerCertificate> {
  if (config.tlsCertFile !== null && config.tlsKeyFile !== null) {
    const given = { certificatePem: await readFile(config.tlsCertFile, 'utf8'), keyPem: await readFile(config.tlsKeyFile, 'utf8') };
    return { current: () => given, caPem: null, renewInto: () => undefined, stop: () => undefined };
  }
  const state = { current: await issue(config, authority) };
  const timers: ReturnType<typeof setInterval>[] = [];
  return {
    current: () => state.current,
    caPem: authority.certificatePem,
    renewInto: (server) => {
      const renew = async (): Promise<void> => {
        if (!isHalfLifeOver(state.current.certificatePem, Date.now())) return;
        state.current = await issue(config, authority);
        if (hasSecureContext(server)) server.setSecureContext({ cert: state.current.certificatePem, key: state.current.keyPem });
      };
      timers.push(setInterval(() => void renew(), LOOK_MS).unref());
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

function issue(config: Config, authority: KeyAndCertificate): Promise<KeyAndCertificate> {
  const publicHost = config.publicUrl === null ? [] : [new URL(config.publicUrl).hostname];
  return issueCertificate(authority, {
    commonName: 'weir',
    usage: 'server',
    names: [...new Set(['localhost', hostname(), ...publicHost.filter((one) => !/^[0-9.:[\]]+$/.test(one))])],
    addresses: [...new Set(['127.0.0.1', '::1', ...publicHost.filter((one) => /^[0-9.]+$/.test(one))])],
    validMs: VALID_MS,
    nowMs: Date.now(),
  });
}
