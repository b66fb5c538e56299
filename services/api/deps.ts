import type { KeyRing } from '#adapters/postgres/key-ring.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import type { Failpoints } from '#core/failpoints.ts';
import type { Log } from '#core/log.ts';
import type { Clock } from '#core/time.ts';
import type { Authenticate } from '#services/api/auth/authenticate.ts';
import type { ChangeFeed } from '#services/api/read/change-feed.ts';

/** Bounds of the API, each in the unit of its name. */
export type ApiLimits = Readonly<{
  /** Largest request body. Kubernetes: 3 MiB. */
  maxBodyBytes: number;
  /** How long a reader may wait for a resource version that is not there yet. */
  waitForVersionMs: number;
  /** A watch that the client did not limit ends after a random time between these two. */
  watchMinMs: number;
  watchMaxMs: number;
  /** Time between two bookmarks of a watch that asked for them. */
  bookmarkMs: number;
  /** Longest time between two looks of a watch at the change log when no wake-up arrives. */
  watchPollMs: number;
  /** How often an open watch checks the caller's rights again. At most 5 s (kube-api.md section 4). */
  recheckMs: number;
  /** Bytes that may wait for a slow reader of a watch; then it gets `slowReaderMs` to catch up before the body is ended. */
  maxWatchBacklogBytes: number;
  slowReaderMs: number;
  /** Longest life of a ServiceAccount token; a longer wish is cut to it. */
  serviceAccountTokenMaxSeconds: number;
  /** Longest life of an AccessToken. */
  accessTokenMaxSeconds: number;
}>;

export const defaultLimits: ApiLimits = Object.freeze({
  maxBodyBytes: 3_145_728,
  waitForVersionMs: 3_000,
  watchMinMs: 30 * 60_000,
  watchMaxMs: 60 * 60_000,
  bookmarkMs: 60_000,
  watchPollMs: 5_000,
  recheckMs: 4_000,
  maxWatchBacklogBytes: 1_048_576,
  slowReaderMs: 30_000,
  serviceAccountTokenMaxSeconds: 86_400,
  accessTokenMaxSeconds: 7_776_000,
});

/** What the routes are given. Built once by the composition root. */
export type ApiDeps = Readonly<{
  db: TenantDb;
  keys: KeyRing;
  clock: Clock;
  log: Log;
  failpoints: Failpoints;
  authenticate: Authenticate;
  limits: ApiLimits;
  /** Wakes open watches. */
  changes: ChangeFeed;
  /** Aborted when the process shuts down: open watches send a bookmark and end. */
  closing: AbortSignal;
  /** Issuer of the people's tokens: members and groups of a Tenant are people of this issuer. */
  oidcIssuer: string;
  /** External base URL without a trailing slash, such as `https://weir.example:6443`. */
  publicUrl: string;
  /** Signs continue tokens; the same for all replicas, at least 32 random bytes. */
  continueKey: Uint8Array;
}>;

/** TLS certificate and key of the server, both PEM. */
export type ServerTls = Readonly<{ certificatePem: string; keyPem: string }>;
