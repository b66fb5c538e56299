import { choice, choices, flag, integer, list, optionalText, textWithDefault } from './config-setting.ts';

const httpsUrl = '^https://[^\\s|?#@]+$';
const url = '^https?://[^\\s|?#@]+$';
const path = '^[^\\u0000-\\u001f]+$';
const cidr = '^[0-9a-fA-F.:]+/[0-9]{1,3}$';
const word = '^[^\\u0000-\\u0020,]+$';

/**
 * Every variable that the plane reads, in the order of the docs. `docs/config.md` is generated from this table; a variable that begins with WEIR_ and is not
 * here fails the start.
 */
export const configTable = Object.freeze({
  stateDir: textWithDefault('WEIR_STATE_DIR', {
    about: 'Folder of everything the plane keeps on this machine: embedded stores, keys, certificates, artifacts.',
    expects: 'a path',
    pattern: path,
    default: '.weir',
  }),

  databaseUrl: optionalText('WEIR_DATABASE_URL', {
    about: 'PostgreSQL 16 or later, as a role that may create roles and the schema.',
    expects: '`postgres://user:password@host/database`',
    pattern: '^postgres(ql)?://\\S+$',
    secret: true,
    defaultAbout: 'embedded PostgreSQL in the state folder',
  }),
  databaseAppPassword: optionalText('WEIR_DATABASE_APP_PASSWORD', {
    about: 'Password of the role weir_app, which the migrations set.',
    expects: 'at least 16 characters',
    pattern: '^[^\\u0000-\\u001f]{16,}$',
    secret: true,
    defaultAbout: 'generated once and kept in the state folder',
  }),
  databaseSchedulerPassword: optionalText('WEIR_DATABASE_SCHEDULER_PASSWORD', {
    about: 'Password of the role weir_scheduler, which the migrations set.',
    expects: 'at least 16 characters',
    pattern: '^[^\\u0000-\\u001f]{16,}$',
    secret: true,
    defaultAbout: 'generated once and kept in the state folder',
  }),
  databaseConnections: integer('WEIR_DATABASE_CONNECTIONS', {
    about: 'Most connections of one process to PostgreSQL.',
    unit: 'connections',
    minimum: 2,
    maximum: 200,
    default: 12,
  }),
  redisUrl: optionalText('WEIR_REDIS_URL', {
    about: 'Redis 7 or Valkey for the queues. One that is set and does not answer is an error.',
    expects: '`redis://` or `rediss://` URL',
    pattern: '^rediss?://\\S+$',
    secret: true,
    defaultAbout: 'embedded Redis, else the queue in PostgreSQL',
  }),
  keyFile: optionalText('WEIR_KEY_FILE', {
    about: 'File of the key-encryption key (mode 0600), made when absent. Back it up: without it no Secret opens.',
    expects: 'a path',
    pattern: path,
    defaultAbout: '`keys/kek` in the state folder',
  }),

  oidcIssuer: optionalText('WEIR_OIDC_ISSUER', {
    about: 'Issuer whose ID tokens are accepted, exactly as its metadata says it.',
    expects: 'an https URL without query',
    pattern: httpsUrl,
    defaultAbout: 'demo provider, for this machine only',
  }),
  oidcAudiences: list('WEIR_OIDC_AUDIENCE', {
    about: 'Client ids whose tokens are accepted.',
    expects: 'client ids between commas',
    pattern: word,
    minItems: 1,
    default: ['weir-cli'],
  }),
  oidcClientId: textWithDefault('WEIR_OIDC_CLIENT_ID', {
    about: 'Public client id that `weir login` uses.',
    expects: 'a client id',
    pattern: word,
    default: 'weir-cli',
  }),
  oidcScopes: list('WEIR_OIDC_SCOPES', {
    about: 'Scopes that `weir login` asks for.',
    expects: 'scopes between commas',
    pattern: word,
    minItems: 1,
    default: ['openid', 'profile', 'email', 'groups', 'offline_access'],
  }),
  oidcCaFile: optionalText('WEIR_OIDC_CA_FILE', {
    about: 'Authority that signed the issuer’s certificate.',
    expects: 'path of a PEM file',
    pattern: path,
    defaultAbout: 'the authorities of the system',
  }),
  oidcGroupsClaim: textWithDefault('WEIR_OIDC_GROUPS_CLAIM', {
    about: 'Claim that lists the groups of a person.',
    expects: 'name of a claim',
    pattern: word,
    default: 'groups',
  }),
  oidcAlgorithms: choices(
    'WEIR_OIDC_ALGORITHMS',
    ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    { about: 'Signature algorithms that the issuer may use.', default: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
  ),
  platformAdminGroup: optionalText('WEIR_PLATFORM_ADMIN_GROUP', {
    about: 'OIDC group whose people administer the platform: tenants, shared clusters, grants.',
    expects: 'name of a group',
    pattern: '^[^\\u0000-\\u001f,]+$',
    defaultAbout: 'nobody administers the platform',
  }),
  accessTokenMaxSeconds: integer('WEIR_ACCESS_TOKEN_MAX_SECONDS', {
    about: 'Longest life of an AccessToken.',
    unit: 's',
    minimum: 600,
    maximum: 31_536_000,
    default: 7_776_000,
  }),
  serviceAccountTokenMaxSeconds: integer('WEIR_SERVICE_ACCOUNT_TOKEN_MAX_SECONDS', {
    about: 'Longest life of a ServiceAccount token; a longer wish is cut to it.',
    unit: 's',
    minimum: 600,
    maximum: 2_592_000,
    default: 86_400,
  }),

  listen: textWithDefault('WEIR_LISTEN', {
    about: 'Address that the API listens on.',
    expects: 'an IP address',
    pattern: '^[0-9a-fA-F.:]+$',
    default: '127.0.0.1',
  }),
  port: integer('WEIR_PORT', { about: 'Port of the API. 0: a free one.', unit: 'port', minimum: 0, maximum: 65_535, default: 8_443 }),
  healthListen: textWithDefault('WEIR_HEALTH_LISTEN', {
    about: 'Address of the health port of a scheduler or worker that runs alone.',
    expects: 'an IP address',
    pattern: '^[0-9a-fA-F.:]+$',
    default: '127.0.0.1',
  }),
  healthPort: integer('WEIR_HEALTH_PORT', {
    about: 'Port of `/healthz` and `/readyz` (plain HTTP) of a scheduler or worker that runs alone. 0: none.',
    unit: 'port',
    minimum: 0,
    maximum: 65_535,
    default: 0,
  }),
  publicUrl: optionalText('WEIR_PUBLIC_URL', {
    about: 'URL under which people and webhooks reach the API. Never taken from a request.',
    expects: 'an https URL',
    pattern: httpsUrl,
    defaultAbout: '`https://localhost:<port>`',
  }),
  tlsCertFile: optionalText('WEIR_TLS_CERT_FILE', {
    about: 'Certificate of the API, with its chain.',
    expects: 'path of a PEM file',
    pattern: path,
    defaultAbout: 'issued by an authority in the state folder',
  }),
  tlsKeyFile: optionalText('WEIR_TLS_KEY_FILE', {
    about: 'Private key of the certificate.',
    expects: 'path of a PEM file',
    pattern: path,
    defaultAbout: 'issued by an authority in the state folder',
  }),
  egressAllow: list('WEIR_EGRESS_ALLOW', {
    about: 'Private address ranges that sources, webhooks and clusters may be reached at. Public addresses always may.',
    expects: 'CIDR ranges between commas',
    pattern: cidr,
    default: [],
  }),
  allowHttpHosts: list('WEIR_ALLOW_HTTP_HOSTS', {
    about:
      'Hosts that sources may be fetched from over plain HTTP: those with `insecure: true`, and chart repositories at `http://`. Everybody on the way can read and change what comes.',
    expects: 'hosts as `host` or `host:port`, in lower case, between commas',
    pattern: '^[^\\s,/@A-Z]+$',
    default: [],
  }),
  sigstoreTrustedRoot: optionalText('WEIR_SIGSTORE_TRUSTED_ROOT', {
    about:
      'The `trusted_root.json` of a Sigstore whose keyless signatures count where a definition names no root of its own. It is read at start and never fetched.',
    expects: 'a path',
    pattern: path,
    defaultAbout: 'none: such definitions are refused',
  }),

  sandbox: choice('WEIR_SANDBOX', ['auto', 'bwrap', 'unshare', 'weak'], {
    about: 'How rendering is isolated. `auto` takes the first strong one that works; `weak` isolates too little for strangers’ manifests.',
    default: 'auto',
  }),
  kustomize: optionalText('WEIR_KUSTOMIZE', {
    about: 'The kustomize program.',
    expects: 'a path',
    pattern: path,
    defaultAbout: 'the pinned one',
  }),
  helm: optionalText('WEIR_HELM', {
    about: 'The helm program, for releases.',
    expects: 'a path',
    pattern: path,
    defaultAbout: 'the pinned one',
  }),
  helmInside: optionalText('WEIR_HELM_INSIDE', {
    about: 'The program `weir-inside`, which helm has beside itself in its sandbox.',
    expects: 'a path',
    pattern: path,
    defaultAbout: 'the pinned one',
  }),
  git: textWithDefault('WEIR_GIT', { about: 'The git program.', expects: 'a name on PATH, or a path', pattern: path, default: 'git' }),
  leaseMs: integer('WEIR_LEASE_MS', {
    about: 'How long a worker owns a unit without renewing.',
    unit: 'ms',
    minimum: 500,
    maximum: 600_000,
    default: 15_000,
  }),
  sourceConcurrency: integer('WEIR_SOURCE_CONCURRENCY', {
    about: 'Sources that one worker looks at together.',
    unit: 'jobs',
    minimum: 1,
    maximum: 256,
    default: 8,
  }),
  kustomizeConcurrency: integer('WEIR_KUSTOMIZE_CONCURRENCY', {
    about: 'Deliveries that one worker reconciles together.',
    unit: 'jobs',
    minimum: 1,
    maximum: 256,
    default: 8,
  }),
  helmConcurrency: integer('WEIR_HELM_CONCURRENCY', {
    about: 'Releases that one worker reconciles together. A release that waits for its objects holds its place.',
    unit: 'jobs',
    minimum: 1,
    maximum: 256,
    default: 8,
  }),
  imageConcurrency: integer('WEIR_IMAGE_CONCURRENCY', {
    about: 'Image repositories, policies and automations that one worker handles together.',
    unit: 'jobs',
    minimum: 1,
    maximum: 256,
    default: 8,
  }),
  notificationConcurrency: integer('WEIR_NOTIFICATION_CONCURRENCY', {
    about: 'Receivers that one worker reconciles together.',
    unit: 'jobs',
    minimum: 1,
    maximum: 256,
    default: 4,
  }),
  fleetConcurrency: integer('WEIR_FLEET_CONCURRENCY', {
    about: 'Clusters and placements that one worker watches over together.',
    unit: 'jobs',
    minimum: 1,
    maximum: 256,
    default: 8,
  }),
  tenantInFlight: integer('WEIR_TENANT_IN_FLIGHT', {
    about: 'Most units of one tenant at work at once.',
    unit: 'jobs',
    minimum: 1,
    maximum: 1_024,
    default: 16,
  }),
  clusterInFlight: integer('WEIR_CLUSTER_IN_FLIGHT', {
    about: 'Most deliveries to one cluster at work at once, where the Cluster names no number.',
    unit: 'jobs',
    minimum: 1,
    maximum: 1_024,
    default: 8,
  }),
  hostInFlight: integer('WEIR_HOST_IN_FLIGHT', {
    about: 'Most sources of one remote host at work at once.',
    unit: 'jobs',
    minimum: 1,
    maximum: 1_024,
    default: 4,
  }),
  watchBudget: integer('WEIR_WATCH_BUDGET', {
    about: 'Most open watches of one worker to workload clusters; beyond it drift is looked for by lists.',
    unit: 'watches',
    minimum: 0,
    maximum: 100_000,
    default: 2_000,
  }),
  changeLogMs: integer('WEIR_CHANGE_LOG_MS', {
    about: 'How far back watches and list pages can go on.',
    unit: 'ms',
    minimum: 300_000,
    maximum: 604_800_000,
    default: 3_600_000,
  }),

  logLevel: choice('WEIR_LOG_LEVEL', ['debug', 'info', 'warn', 'error'], {
    about: 'Least important lines that are written.',
    default: 'info',
  }),
  toolsMirror: optionalText('WEIR_TOOLS_MIRROR', {
    about: 'Where pinned programs are downloaded from instead of their official places.',
    expects: 'a URL',
    pattern: url,
    defaultAbout: 'the official places',
  }),
  test: flag('WEIR_TEST', { about: 'Allows failpoints. For tests with stores on this machine only.', default: false }),
  failpoints: list('WEIR_FAILPOINT', {
    about: 'Failpoints as `point:kill`, `point:stop`, `point:throw` or `point:delay`. For tests with stores on this machine only.',
    expects: '`<point>:<kill|stop|throw|delay>` between commas',
    pattern: '^([as][1-4]|r[1-9]|r1[0-2]|i[134]):(kill|stop|throw|delay)$',
    default: [],
  }),
});

/** Variables of our other programs: the plane leaves them alone. */
export const otherVariables: Readonly<Record<string, string>> = Object.freeze({
  WEIR_TOKEN: '`weir`: a token instead of the login.',
  WEIR_SERVER: '`weir`: the plane to talk to.',
  WEIR_CA_FILE: '`weir`: PEM file of the authority that signed the plane’s certificate.',
  WEIR_KUBECONFIG: '`weir`: the kubeconfig of the plane, where KUBECONFIG names that of a cluster.',
});
