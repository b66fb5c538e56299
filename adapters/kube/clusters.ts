import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { type Account, parseAccount, userOf } from '#adapters/kube/account.ts';
import { type Bootstrap, createBootstrap } from '#adapters/kube/bootstrap.ts';
import { type Care, createCare } from '#adapters/kube/care.ts';
import { createCluster } from '#adapters/kube/cluster.ts';
import { tenantCertificate, tenantToken } from '#adapters/kube/credential.ts';
import { createDiscovery, type Discovery } from '#adapters/kube/discovery.ts';
import { parseKubeconfig, type TenantKubeconfig } from '#adapters/kube/kubeconfig.ts';
import { createPool, type Pool } from '#adapters/kube/pool.ts';
import { createReleaseAccess, type ReleaseAccess } from '#adapters/kube/release-access.ts';
import { type CredentialSource, createSession, type Session } from '#adapters/kube/session.ts';
import { FIELD_MANAGER } from '#adapters/kube/ssa/managers.ts';
import { createTokens } from '#adapters/kube/tokens.ts';
import { createBudget, defaultWatchLimits, type WatchLimits } from '#adapters/kube/watch/budget.ts';
import { type Change, createLiveView, type LiveView } from '#adapters/kube/watch/live-view.ts';
import { AppError } from '#core/errors.ts';
import { type Failpoints, noFailpoints } from '#core/failpoints.ts';
import type { Log } from '#core/log.ts';
import type { Cluster } from '#core/ports.ts';
import type { ClusterAccess } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';

export type ClustersOptions = Readonly<{
  /** For the user agent: `weir/<version> (<component>)`. */
  component: string;
  version: string;
  /** The standing credential of a shared cluster, read anew for each use. Throws when there is none. */
  bootstrap(access: ClusterAccess): Promise<string>;
  clock: Clock;
  log: Log;
  /** An object of a delivery was changed by somebody else, or its health changed while in progress. Must not throw. */
  onChange(change: Change): void;
  limits?: Partial<WatchLimits>;
  /** A watch without a byte for so long is dead; bookmarks come every one or two minutes. */
  silenceMs?: number;
  failpoints?: Failpoints;
  /** Egress policy at the moment of connecting, for all clusters. */
  connectLookup?: LookupFunction;
}>;

export type BindOptions = Readonly<{
  scope: TenantScope;
  access: ClusterAccess;
  account: Account;
  deliveryId: string;
  /** Whose fields an apply writes: `weir` when absent. */
  fieldManager?: string;
  /** The heartbeat, perhaps in another process, found the cluster back: this process's breaker does not hold the run up. */
  isBack?: boolean;
}>;
export type BindPrivateOptions = Readonly<{
  scope: TenantScope;
  clusterId: string;
  clusterName: string;
  /** YAML of the tenant's own kubeconfig. */
  kubeconfig: string;
  /** With one, that account's token is minted by the kubeconfig's credential. */
  account: Account | null;
  deliveryId: string;
  variables?: Readonly<Record<string, string>>;
  fieldManager?: string;
}>;

/** All workload clusters that this process talks to. */
export type Clusters = Readonly<{
  /** Throws AppError forbidden when the account is not registered for the tenant there, invalid when it is no account. No request is made. */
  bind(options: BindOptions): Cluster;
  /** Throws AppError invalid for a kubeconfig that has more in it than we accept. No request is made. */
  bindPrivate(options: BindPrivateOptions): Cluster;
  /** The way of Helm to the same cluster as the same account. Throws as `bind`. */
  releases(options: BindOptions): ReleaseAccess;
  releasesPrivate(options: BindPrivateOptions): ReleaseAccess;
  care(options: Readonly<{ scope: TenantScope; access: ClusterAccess }>): Care;
  /** Requests sent to a cluster so far, watches apart: for tests and metrics. */
  requestsSent(access: ClusterAccess): number;
  /** How the drift of a delivery is seen: by watches, at least partly by lists, or not yet at all. */
  watchMode(deliveryId: string): 'watch' | 'list' | 'none';
  openWatches(): number;
  /** The delivery is gone, or its run moved elsewhere: watches that only it needs are closed by the next sweep. */
  release(deliveryId: string): void;
  close(): Promise<void>;
}>;

type State = Readonly<{
  key: string;
  pool: Pool;
  discovery: Discovery;
  accounts: Map<string, Readonly<{ session: Session; view: LiveView }>>;
}> & { usedAtMs: number };

/** One cluster as one account reaches it. */
type Spot = Readonly<{
  state: State;
  session: Session;
  view: LiveView;
  source: CredentialSource;
  clusterId: string;
  clusterName: string;
  variables: Readonly<Record<string, string>>;
  namespaces: readonly string[];
  server: string;
  caPem: string;
  certificate: Readonly<{ certificatePem: string; keyPem: string }> | null;
}>;

const sweepMs = 30_000;
const stateIdleMs = 3_600_000;
const maxTokens = 20_000;
const maxModes = 100_000;
/** kube-apiserver 1.37 sent bookmarks after 1 to 2 minutes in a cluster where nothing happens (measured). */
const defaultSilenceMs = 190_000;

export function createClusters(options: ClustersOptions): Clusters {
  const { clock, log } = options;
  const states = new Map<string, State>();
  const tokens = createTokens(clock, maxTokens);
  const modes = new Map<string, 'watch' | 'list'>();
  const budget = createBudget(clock, { ...defaultWatchLimits, ...options.limits });
  const failpoints = options.failpoints ?? noFailpoints;
  const userAgent = `weir/${options.version} (${options.component})`;
  const sweeper = setInterval(sweep, sweepMs).unref();

  function stateFor(
    key: string,
    name: string,
    server: string,
    caPem: string,
    certificate: Readonly<{ certificatePem: string; keyPem: string }> | null,
  ): State {
    const known = states.get(key);
    if (known !== undefined) {
      known.usedAtMs = clock.nowMs();
      return known;
    }
    const pool = createPool({ name, server, caPem, certificate, userAgent, connectLookup: options.connectLookup ?? null, clock });
    const state: State = { key, pool, discovery: createDiscovery(clock), accounts: new Map(), usedAtMs: clock.nowMs() };
    states.set(key, state);
    return state;
  }
  /** The address and CA are part of the key: when they change, nothing of the old place is used again. */
  function sharedState(access: ClusterAccess): State {
    return stateFor(
      digest('shared', access.clusterId, access.server, access.caBundle),
      access.clusterName,
      access.server,
      access.caBundle,
      null,
    );
  }
  function accountOf(
    state: State,
    scope: TenantScope,
    clusterId: string,
    clusterName: string,
    source: CredentialSource,
  ): Readonly<{ session: Session; view: LiveView }> {
    const id = `${scope.tenantId}|${source.account}`;
    const known = state.accounts.get(id);
    if (known !== undefined) return known;
    const session = createSession(state.pool, clusterName, source);
    const view = createLiveView({
      key: `${state.key}|${id}`,
      clusterKey: state.key,
      clusterId,
      scope,
      session,
      budget,
      clock,
      log: log.child({ cluster: clusterName, account: source.account }),
      silenceMs: options.silenceMs ?? defaultSilenceMs,
      onChange: options.onChange,
    });
    const made = Object.freeze({ session, view });
    state.accounts.set(id, made);
    return made;
  }
  function minting(scope: TenantScope, clusterId: string, account: Account, bootstrap: Bootstrap): CredentialSource {
    const key = { scope, clusterId, account: parseAccount(account) };
    return {
      account: userOf(account),
      nextStep: 'check that the account exists there, or run `weir cluster onboard` again',
      get: (signal) => tokens.get(key, bootstrap, signal),
      refused: (credential) => {
        if (credential.is !== 'tenant') return false;
        tokens.drop(key, credential);
        return true;
      },
    };
  }
  function sees(deliveryId: string, mode: 'watch' | 'list'): void {
    modes.delete(deliveryId);
    modes.set(deliveryId, mode);
    const oldest = modes.size > maxModes ? modes.keys().next().value : undefined;
    if (oldest !== undefined) modes.delete(oldest);
  }
  function sweep(): void {
    budget.sweep();
    const busy = new Set([...budget.all()].map((held) => held.clusterKey));
    for (const state of [...states.values()]) {
      if (busy.has(state.key) || clock.nowMs() - state.usedAtMs < stateIdleMs) continue;
      states.delete(state.key);
      state.pool.close().catch((error: unknown) => log.warn({ error: String(error) }, 'connections of an idle cluster did not close'));
    }
  }

  function sharedSpot({ scope, access, account, isBack = false }: BindOptions): Spot {
    parseAccount(account);
    const { clusterId, clusterName, variables, namespaces } = access;
    const registered = [access.serviceAccount, ...access.accounts].some(
      (one) => one.namespace === account.namespace && one.name === account.name,
    );
    if (!registered)
      throw new AppError(
        'forbidden',
        `account ${userOf(account)} is not registered for this tenant on cluster ${clusterName}; register it with a ClusterAccount`,
      );
    // A grant without namespaces is no grant; only a private cluster has no limit of ours.
    if (namespaces.length === 0) throw new AppError('forbidden', `no namespace of cluster ${clusterName} is granted to this tenant`);
    const state = sharedState(access);
    const bootstrap = createBootstrap(state.pool, clusterName, () => options.bootstrap(access));
    const source = minting(scope, clusterId, account, bootstrap);
    const held = accountOf(state, scope, clusterId, clusterName, source);
    if (isBack) {
      state.pool.returned();
      held.view.retry();
    }
    const { server, caBundle: caPem } = access;
    return { ...held, state, source, clusterId, clusterName, variables, namespaces, server, caPem, certificate: null };
  }
  function privateSpot(bound: BindPrivateOptions): Spot {
    const { scope, clusterId, clusterName, account } = bound;
    const config = parseKubeconfig(bound.kubeconfig);
    // The tenant and every byte of the file are in the key: no connection or token is shared across tenants or credentials.
    const key = digest('private', scope.tenantId, clusterId, bound.kubeconfig);
    const own = config.credential.is === 'certificate' ? config.credential : null;
    // A connection with the certificate would speak for its user whatever token a request carries: such requests have connections of their own.
    const ownState = stateFor(digest('private-own', key), clusterName, config.server, config.caPem, own);
    const state = account === null ? ownState : stateFor(key, clusterName, config.server, config.caPem, null);
    const source = account === null ? ownSource(config) : minting(scope, key, account, ownMint(ownState.pool, clusterName, config));
    const held = accountOf(state, scope, clusterId, clusterName, source);
    const { server, caPem } = config;
    const variables = bound.variables ?? {};
    return { ...held, state, source, clusterId, clusterName, variables, namespaces: [], server, caPem, certificate: own };
  }
  function clusterAt(spot: Spot, deliveryId: string, fieldManager: string | undefined): Cluster {
    const { clusterId, clusterName, variables, namespaces, session, view, state } = spot;
    return createCluster({
      ...{ clusterId, clusterName, variables, namespaces, deliveryId, session, view, clock, failpoints, sees },
      discovery: state.discovery,
      fieldManager: fieldManager ?? FIELD_MANAGER,
    });
  }

  return Object.freeze({
    bind: (bound: BindOptions): Cluster => clusterAt(sharedSpot(bound), bound.deliveryId, bound.fieldManager),
    bindPrivate: (bound: BindPrivateOptions): Cluster => clusterAt(privateSpot(bound), bound.deliveryId, bound.fieldManager),
    releases: (bound: BindOptions): ReleaseAccess => createReleaseAccess(sharedSpot(bound)),
    releasesPrivate: (bound: BindPrivateOptions): ReleaseAccess => createReleaseAccess(privateSpot(bound)),
    care({ scope, access }): Care {
      const state = sharedState(access);
      const bootstrap = createBootstrap(state.pool, access.clusterName, () => options.bootstrap(access));
      const sessionFor = (account: Account): Session =>
        createSession(state.pool, access.clusterName, minting(scope, access.clusterId, account, bootstrap));
      return createCare({ clusterName: access.clusterName, bootstrap, nowMs: () => clock.nowMs(), sessionFor });
    },
    requestsSent: (access: ClusterAccess) => sharedState(access).pool.sent(),
    watchMode: (deliveryId: string) => modes.get(deliveryId) ?? 'none',
    openWatches: () => budget.count(),
    release(deliveryId: string): void {
      modes.delete(deliveryId);
      budget.release(deliveryId);
    },
    async close(): Promise<void> {
      clearInterval(sweeper);
      budget.closeAll();
      tokens.clear();
      await Promise.all([...states.values()].map((state) => state.pool.close()));
      states.clear();
    },
  });
}

/** The tenant's own credential, used as it is. */
function ownSource(config: TenantKubeconfig): CredentialSource {
  const account = `user ${config.user} of the kubeconfig`;
  const { credential } = config;
  const own = credential.is === 'token' ? tenantToken(account, credential.token, Number.MAX_SAFE_INTEGER) : tenantCertificate(account);
  return { account, nextStep: 'put a kubeconfig with a fresh credential into the Secret', get: async () => own, refused: () => false };
}

/** TokenRequest by the kubeconfig's own credential. */
function ownMint(pool: Pool, clusterName: string, config: TenantKubeconfig): Bootstrap {
  const { credential } = config;
  return createBootstrap(pool, clusterName, async () =>
    credential.is === 'token' ? credential.token : tenantCertificate(`user ${config.user} of the kubeconfig`),
  );
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
