import { type Account, userOf } from '#adapters/kube/account.ts';
import type { Bootstrap } from '#adapters/kube/bootstrap.ts';
import { checkRights, type Preflight } from '#adapters/kube/preflight.ts';
import type { Session } from '#adapters/kube/session.ts';
import { AppError } from '#core/errors.ts';

export type Heartbeat = Readonly<{ is: 'ready' | 'unreachable' | 'refused'; message: string; version: string | null }>;
/** A fresh bootstrap token. Store it sealed; the old one lives until it expires. */
export type RenewedCredential = Readonly<{ token: string; issuedAtMs: number; expiresAtMs: number }>;

/** How the owner of a cluster watches over it. */
export type Care = Readonly<{
  /** `GET /version` and `/readyz`, by the plane's standing credential. Never throws for a cluster that does not answer or refuses. */
  heartbeat(signal: AbortSignal): Promise<Heartbeat>;
  /** A TokenRequest of the bootstrap account for itself: 30 days are asked for, what is granted is taken. Throws AppError clusterRefused, clusterUnreachable. */
  renew(account: Account, signal: AbortSignal): Promise<RenewedCredential>;
  /** What a tenant account lacks in its namespaces, asked as that account. Throws AppError clusterRefused, clusterUnreachable, clusterAnswer. */
  preflight(account: Account, namespaces: readonly string[], signal: AbortSignal): Promise<Preflight>;
}>;

const bootstrapSeconds = 30 * 86_400;

/** True when half of the credential's life is over. Pure. */
export function isRenewalDue(credential: Readonly<{ issuedAtMs: number; expiresAtMs: number }>, nowMs: number): boolean {
  return nowMs >= credential.issuedAtMs + (credential.expiresAtMs - credential.issuedAtMs) / 2;
}

export function createCare(
  options: Readonly<{ clusterName: string; bootstrap: Bootstrap; nowMs(): number; sessionFor(account: Account): Session }>,
): Care {
  const { bootstrap, clusterName } = options;
  return Object.freeze({
    async heartbeat(signal: AbortSignal): Promise<Heartbeat> {
      try {
        const version = await bootstrap.version(signal);
        if (!(await bootstrap.ready(signal)))
          return { is: 'unreachable', message: `cluster ${clusterName} answers and says that it is not ready`, version };
        return { is: 'ready', message: `cluster ${clusterName} is ready (${version})`, version };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { is: error.code === 'clusterRefused' ? 'refused' : 'unreachable', message: error.message, version: null };
      }
    },
    async renew(account: Account, signal: AbortSignal): Promise<RenewedCredential> {
      const issuedAtMs = options.nowMs();
      const minted = await bootstrap.mint(account, bootstrapSeconds, signal);
      return { token: minted.value, issuedAtMs, expiresAtMs: issuedAtMs + minted.lifeMs };
    },
    async preflight(account: Account, namespaces: readonly string[], signal: AbortSignal): Promise<Preflight> {
      if (namespaces.length === 0) return { missing: [], message: `${userOf(account)} is granted no namespace` };
      return checkRights(options.sessionFor(account), namespaces, signal);
    },
  });
}
