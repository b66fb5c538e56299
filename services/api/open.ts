import { createHash } from 'node:crypto';
import { createEgress } from '#adapters/egress/egress.ts';
import { createFetchText } from '#adapters/oidc/fetch-text.ts';
import { createOidcVerifier } from '#adapters/oidc/verify.ts';
import type { KeyRing } from '#adapters/postgres/key-ring.ts';
import type { TenantDb } from '#adapters/postgres/tenant-db.ts';
import type { Config } from '#core/config.ts';
import { AppError } from '#core/errors.ts';
import type { Failpoints } from '#core/failpoints.ts';
import type { Log } from '#core/log.ts';
import type { Clock } from '#core/time.ts';
import { buildApp } from '#services/api/app.ts';
import { createAuthenticate } from '#services/api/auth/authenticate.ts';
import { createWeirTokens } from '#services/api/auth/weir-tokens.ts';
import { type ApiDeps, defaultLimits, type ServerTls } from '#services/api/deps.ts';
import type { Login } from '#services/api/login.ts';
import { runMaintenance } from '#services/api/maintenance/run.ts';
import { openChangeFeed } from '#services/api/read/change-feed.ts';
import { diffRoutes, type PreviewPort } from '#services/api/routes/diff/diff-routes.ts';
import { type HealthCheck, healthRoutes } from '#services/api/routes/health/health-routes.ts';
import { historyRoutes } from '#services/api/routes/history/history-routes.ts';
import { imageRoutes } from '#services/api/routes/image/image-routes.ts';
import { oidcInfoRoutes } from '#services/api/routes/oidc-info/oidc-info-routes.ts';

export type ApiParts = Readonly<{
  config: Config;
  db: TenantDb;
  keys: KeyRing;
  clock: Clock;
  log: Log;
  failpoints: Failpoints;
  identity: Login;
  tls: ServerTls;
  /** PEM of the authority of `tls`, for kubeconfigs; null for a public one. */
  serverCaPem: string | null;
  publicUrl: string;
  /** A secret that all replicas of the API share. */
  secret: string;
  checks: readonly HealthCheck[];
  /** How a diff is made; null where the process holds no renderer: then it says so. */
  preview: PreviewPort | null;
}>;
export type OpenApi = Readonly<{ app: ReturnType<typeof buildApp>; close(): Promise<void> }>;

/** Deletions finish at once where nothing has to be torn down first; this is for those that wait for the workers. */
const MAINTENANCE_MS = 3_000;
const ISSUER_EGRESS = 'weir (api)';

/** The API service with its identity, ready to listen. */
export async function openApi(parts: ApiParts): Promise<OpenApi> {
  const { config, db, keys, clock, log, identity } = parts;
  const issuer = createFetchText({
    caPem: identity.caPem,
    lookup: identity.demo ? null : createEgress({ allowCidrs: config.egressAllow }).egressLookup,
    userAgent: ISSUER_EGRESS,
  });
  const oidc = createOidcVerifier({
    issuer: identity.issuer,
    audiences: config.oidcAudiences,
    algorithms: config.oidcAlgorithms,
    groupsClaim: config.oidcGroupsClaim,
    fetchText: issuer.fetchText,
    clock,
  });
  const authenticate = createAuthenticate({
    oidc,
    membershipsOf: (identity) => db.directory.membershipsOf(identity),
    weirToken: createWeirTokens({ db, clock }),
    platformAdminGroup: identity.platformAdminGroup,
    log,
  });
  const continueKey = createHash('sha256').update(`continue ${parts.secret}`).digest();
  const changes = await openChangeFeed(db);
  const closing = new AbortController();
  const deps: ApiDeps = {
    db,
    keys,
    clock,
    log,
    failpoints: parts.failpoints,
    authenticate,
    limits: {
      ...defaultLimits,
      serviceAccountTokenMaxSeconds: config.serviceAccountTokenMaxSeconds,
      accessTokenMaxSeconds: config.accessTokenMaxSeconds,
    },
    oidcIssuer: identity.issuer,
    publicUrl: parts.publicUrl,
    continueKey,
    changes,
    closing: closing.signal,
  };
  const extraRoutes = [
    ...healthRoutes(parts.checks),
    ...historyRoutes({ db }),
    ...imageRoutes({ db }),
    ...diffRoutes({ db, clock, preview: parts.preview ?? noPreview }),
    ...oidcInfoRoutes({
      server: parts.publicUrl,
      issuer: identity.issuer,
      clientId: identity.clientId,
      scopes: identity.scopes,
      issuerCaPem: identity.caPem,
      serverCaPem: parts.serverCaPem,
    }),
  ];
  const app = buildApp(deps, { tls: parts.tls, extraRoutes });
  const maintaining = runMaintenance(deps, { everyMs: MAINTENANCE_MS, signal: closing.signal });
  return Object.freeze({
    app,
    close: async () => {
      closing.abort();
      await app.close();
      await maintaining;
      await changes.close();
      await issuer.close();
    },
  });
}

async function noPreview(): Promise<never> {
  throw new AppError('unavailable', 'this API runs alone and renders nothing: previews are made where the whole plane is one process');
}
