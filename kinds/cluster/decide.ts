import type { Judged, Obj } from '#core/kind.ts';
import type { ClusterProbe } from '#core/ports.ts';
import { rfc3339 } from '#core/time.ts';
import type { ClusterSpec, ClusterStatus } from './schema.ts';

export type Seen = Readonly<{ at: 'paused' }> | (ClusterProbe & Readonly<{ at: 'probed' }>);
export type Act = Readonly<{ do: 'renew' }>;
export type ClusterObj = Obj<'definition', typeof ClusterSpec, typeof ClusterStatus>;

/** Heartbeat while a cluster answers, and the next try after it refused us. */
export const HEARTBEAT_MS = 30_000;
/** One that does not answer is asked more often: its deliveries wait for its return. The breaker keeps such a try cheap. */
const ABSENT_MS = 10_000;

/**
 * The four states are kept apart: ready, unreachable since, refused (credentials), paused. The bootstrap token is renewed at half of its life. Pure.
 */
export function decide(obj: ClusterObj, seen: Seen, nowMs: number): Act | Judged<typeof ClusterStatus> {
  if (seen.at === 'paused')
    return { is: 'stalled', reason: 'ClusterPaused', message: 'spec.paused is true: nothing on this cluster changes' };
  if (seen.is === 'ready' && seen.credential !== null && halfOver(seen.credential, nowMs) && !obj.done.includes('renew'))
    return { do: 'renew' };
  const shown = { status: statusOf(obj, seen, nowMs) };
  switch (seen.is) {
    case 'ready':
      return readyOutcome(seen, shown);
    case 'unreachable':
      return {
        is: 'failed',
        reason: 'ClusterUnreachable',
        message: `unreachable since ${shown.status.unknownSince ?? rfc3339(nowMs)}: ${seen.message}`,
        retryAfterMs: ABSENT_MS,
        shown,
      };
    case 'refused':
      return { is: 'failed', reason: 'ClusterRefused', message: seen.message, retryAfterMs: HEARTBEAT_MS, shown };
    case 'credentialMissing':
      return { is: 'waiting', reason: 'CredentialMissing', message: seen.message, afterMs: 10 * 60_000, shown };
    case 'paused':
      return { is: 'stalled', reason: 'ClusterPaused', message: seen.message, shown };
  }
}

function readyOutcome(seen: ClusterProbe, shown: Readonly<{ status: Partial<ClusterStatus> }>): Judged<typeof ClusterStatus> {
  const lacking = seen.accounts.filter((one) => one.missing.length > 0);
  const message =
    lacking.length === 0
      ? `Kubernetes ${seen.version ?? 'of unknown version'} answers`
      : `Kubernetes ${seen.version ?? ''} answers; ${lacking.length} of ${seen.accounts.length} accounts lack rights: see status.accounts`;
  return { is: 'ready', reason: 'Succeeded', message, revision: '', againAfterMs: HEARTBEAT_MS, shown };
}

function halfOver(credential: Readonly<{ issuedAtMs: number; expiresAtMs: number }>, nowMs: number): boolean {
  return nowMs >= credential.issuedAtMs + (credential.expiresAtMs - credential.issuedAtMs) / 2;
}

function statusOf(obj: ClusterObj, seen: ClusterProbe, nowMs: number): Partial<ClusterStatus> {
  const before = obj.status;
  const answered = seen.is === 'ready';
  const credential =
    seen.credential === null
      ? {}
      : { credential: { issuedAt: rfc3339(seen.credential.issuedAtMs), expiresAt: rfc3339(seen.credential.expiresAtMs) } };
  const accounts = seen.accounts.map(({ tenant, account, missing }) => ({ tenant, account, missing: [...missing] }));
  if (answered) {
    return {
      ...credential,
      ...(seen.version === null ? {} : { version: seen.version }),
      reachableSince:
        before?.unknownSince === undefined || before.unknownSince === '' ? (before?.reachableSince ?? rfc3339(nowMs)) : rfc3339(nowMs),
      unknownSince: '',
      lastContactTime: contactTime(before?.lastContactTime, nowMs),
      accounts,
    };
  }
  return {
    ...credential,
    unknownSince: before?.unknownSince === undefined || before.unknownSince === '' ? rfc3339(nowMs) : before.unknownSince,
  };
}

const CONTACT_GRAIN_MS = 5 * 60_000;

/** A heartbeat that finds all as it was writes nothing: the shown time of contact moves at most every five minutes. */
function contactTime(before: string | undefined, nowMs: number): string {
  const then = before === undefined ? Number.NaN : Date.parse(before);
  return before !== undefined && nowMs - then < CONTACT_GRAIN_MS ? before : rfc3339(nowMs);
}
