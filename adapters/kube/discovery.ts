import { messageOf } from '#adapters/kube/answer.ts';
import { apiPath, type ResourceType } from '#adapters/kube/paths.ts';
import type { Session } from '#adapters/kube/session.ts';
import { AppError } from '#core/errors.ts';
import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import type { Clock } from '#core/time.ts';

/** The kinds of one cluster, by aggregated discovery (KEP-3352); the same for all tenants, so it is cached per cluster. */
export type Discovery = Readonly<{
  /** The kind, or null when the cluster has no such kind. Asked anew once, at most every second, when it is missing; otherwise every ten minutes by ETag. */
  resolve(session: Session, apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceType | null>;
  /**
   * Whether a fresh answer of the API server says that the kind does not exist. False when its group is served by something that does not
   * answer now (freshness Stale): its objects may well exist.
   */
  isGone(session: Session, apiVersion: string, kind: string, signal: AbortSignal): Promise<boolean>;
  /** All kinds, once each in the version the server prefers. */
  all(session: Session, signal: AbortSignal): Promise<readonly ResourceType[]>;
  /** Asks anew at the next call. */
  forget(): void;
}>;

type Document = Readonly<{ etag: string | null; kinds: ReadonlyMap<string, ResourceType>; stale: ReadonlySet<string> }>;
type Known = Readonly<{ core: Document; groups: Document; atMs: number }>;

const accept =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
const maxBytes = 16 * 1024 * 1024;
const maxKinds = 20_000;
const timeoutMs = 20_000;
const freshForMs = 600_000;
const askAgainMs = 1_000;

export function createDiscovery(clock: Clock): Discovery {
  let known: Known | null = null;
  let flight: Promise<Known> | null = null;

  async function ask(session: Session, previous: Known | null): Promise<Known> {
    const signal = AbortSignal.timeout(timeoutMs);
    const [core, groups] = await Promise.all([
      load(session, 'api', previous?.core ?? null, signal),
      load(session, 'apis', previous?.groups ?? null, signal),
    ]);
    return { core, groups, atMs: clock.nowMs() };
  }
  function refresh(session: Session): Promise<Known> {
    flight ??= ask(session, known)
      .then((fresh) => (known = fresh))
      .finally(() => (flight = null));
    return flight;
  }
  async function current(session: Session): Promise<Known> {
    if (known !== null && clock.nowMs() - known.atMs < freshForMs) return known;
    return refresh(session);
  }
  return Object.freeze({
    async resolve(session: Session, apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceType | null> {
      signal.throwIfAborted();
      const first = await current(session);
      const found = find(first, apiVersion, kind);
      if (found !== null || clock.nowMs() - first.atMs < askAgainMs) return found;
      return find(await refresh(session), apiVersion, kind);
    },
    async isGone(session: Session, apiVersion: string, kind: string, signal: AbortSignal): Promise<boolean> {
      signal.throwIfAborted();
      // A flight that is under way may have begun before the kind came back.
      await flight?.catch(() => undefined);
      const fresh = await refresh(session);
      return find(fresh, apiVersion, kind) === null && !fresh.core.stale.has(apiVersion) && !fresh.groups.stale.has(apiVersion);
    },
    async all(session: Session, signal: AbortSignal): Promise<readonly ResourceType[]> {
      signal.throwIfAborted();
      const { core, groups } = await current(session);
      const preferred = new Map<string, ResourceType>();
      // Versions come in the server's order of preference.
      for (const type of [...core.kinds.values(), ...groups.kinds.values()])
        if (!preferred.has(`${type.group}/${type.kind}`)) preferred.set(`${type.group}/${type.kind}`, type);
      return [...preferred.values()];
    },
    forget(): void {
      if (known !== null) known = { ...known, atMs: Number.NEGATIVE_INFINITY };
    },
  });
}

function find(known: Known, apiVersion: string, kind: string): ResourceType | null {
  const key = `${apiVersion}/${kind}`;
  return known.core.kinds.get(key) ?? known.groups.kinds.get(key) ?? null;
}

async function load(session: Session, root: 'api' | 'apis', previous: Document | null, signal: AbortSignal): Promise<Document> {
  const etag = previous?.etag ?? null;
  const answer = await session.request({
    method: 'GET',
    path: apiPath(root),
    accept,
    ...(etag === null ? {} : { ifNoneMatch: etag }),
    timeoutMs,
    maxBytes,
    signal,
  });
  if (answer.status === 304 && previous !== null) return previous;
  if (answer.status === 403)
    throw new AppError(
      'clusterRefused',
      `${session.account} may not read the kinds of cluster ${session.clusterName}: ${messageOf(answer)}`,
    );
  if (answer.status !== 200)
    throw new AppError('clusterUnreachable', `cluster ${session.clusterName} does not tell its kinds: ${messageOf(answer)}`);
  if (textAt(answer.body ?? undefined, 'kind') !== 'APIGroupDiscoveryList') {
    throw new AppError('clusterAnswer', `cluster ${session.clusterName} has no aggregated discovery; Kubernetes 1.27 or newer is needed`);
  }
  return parseDocument(answer.body ?? {}, answer.etag, session.clusterName);
}

function parseDocument(body: JsonObject, etag: string | null, clusterName: string): Document {
  const kinds = new Map<string, ResourceType>();
  const stale = new Set<string>();
  for (const item of list(body['items'])) {
    const group = textAt(item, 'metadata', 'name') ?? '';
    for (const one of list(at(item, 'versions'))) {
      const version = textAt(one, 'version') ?? '';
      const apiVersion = group === '' ? version : `${group}/${version}`;
      if (textAt(one, 'freshness') === 'Stale') stale.add(apiVersion);
      for (const resource of list(at(one, 'resources'))) addKind(kinds, group, version, resource);
      if (kinds.size > maxKinds)
        throw new AppError('clusterAnswer', `cluster ${clusterName} has more than ${maxKinds} kinds, which is the limit`);
    }
  }
  return { etag, kinds, stale };
}

function addKind(kinds: Map<string, ResourceType>, group: string, version: string, resource: Json): void {
  const plural = textAt(resource, 'resource');
  const kind = textAt(resource, 'responseKind', 'kind');
  if (plural === undefined || kind === undefined || plural === '' || kind === '') return;
  const verbs = list(at(resource, 'verbs')).filter((verb) => typeof verb === 'string');
  const apiVersion = group === '' ? version : `${group}/${version}`;
  kinds.set(
    `${apiVersion}/${kind}`,
    Object.freeze({ group, version, kind, plural, namespaced: textAt(resource, 'scope') === 'Namespaced', verbs }),
  );
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value.filter((one) => isObject(one) || typeof one === 'string') : [];
}
