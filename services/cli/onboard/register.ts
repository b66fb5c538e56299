import { at, canonicalJson, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import { parseRfc3339 } from '#core/time.ts';
import type { AppliedStep } from '#services/cli/onboard/plan.ts';
import { type OnboardWish, tenantAccount } from '#services/cli/onboard/wish.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { getOrNull, objects, pathOf } from '#services/cli/plane/resources.ts';

const group = { group: 'weir.dev', version: 'v1', namespaced: true } as const;
const clusters = { ...group, plural: 'clusters' };
const grants = { ...group, plural: 'clustergrants' };

/** What the plane is told of a cluster: public facts, never a credential of the operator. */
export type ClusterFacts = Readonly<{ server: string; caPem: string }>;
export type PlanePlan = Readonly<{
  cluster: PlannedObject;
  grant: PlannedObject /** The plane holds a token of the bootstrap account that is good for more than half of its life. */;
  credentialIsGood: boolean;
}>;
type PlannedObject = Readonly<{
  title: string;
  path: string;
  collection: string;
  wanted: JsonObject;
  live: JsonObject | null;
  change: 'create' | 'change' | 'unchanged';
}>;

/** What has to be written to the plane: reads only. A grant keeps the tenants and namespaces that it has. */
export async function planPlane(plane: Plane, wish: OnboardWish, facts: ClusterFacts, nowMs: number): Promise<PlanePlan> {
  const live = await getOrNull(plane, pathOf(clusters, wish.planeNamespace, wish.name));
  const liveGrant = await getOrNull(plane, pathOf(grants, wish.planeNamespace, wish.name));
  return {
    cluster: planned(clusters, wish, live, clusterObject(wish, facts, live)),
    grant: planned(grants, wish, liveGrant, grantObject(wish, liveGrant)),
    credentialIsGood: live !== null && hasGoodCredential(live, nowMs),
  };
}

/** Writes Cluster and ClusterGrant: create, or merge patch of what differs. Doing it again changes nothing. */
export async function writePlane(plane: Plane, plan: PlanePlan, tell: (step: AppliedStep) => void): Promise<readonly AppliedStep[]> {
  const steps: AppliedStep[] = [];
  for (const one of [plan.cluster, plan.grant]) {
    const step = { title: one.title, result: await write(plane, one) } as const;
    steps.push(step);
    tell(step);
  }
  return steps;
}

/** Hands the bootstrap token over: write-only there. */
export async function giveCredential(
  plane: Plane,
  wish: OnboardWish,
  credential: Readonly<{ token: string; expiresAt: string }>,
): Promise<void> {
  const path = `${pathOf(clusters, wish.planeNamespace, wish.name)}/credentials`;
  await plane.call({ method: 'POST', path, body: { token: credential.token, expiresAt: credential.expiresAt } });
}

async function write(plane: Plane, one: PlannedObject): Promise<AppliedStep['result']> {
  const query = { fieldValidation: 'Strict', fieldManager: 'weir-onboard' };
  if (one.change === 'unchanged') return 'unchanged';
  if (one.live === null) {
    await plane.call({ method: 'POST', path: one.collection, query, body: one.wanted });
    return 'created';
  }
  const metadata = isObject(one.wanted['metadata']) ? one.wanted['metadata'] : {};
  const version = textAt(one.live, 'metadata', 'resourceVersion');
  // The version read makes two operators at once notice each other: a grant is one list.
  const patch = {
    metadata: {
      ...(metadata['labels'] === undefined ? {} : { labels: metadata['labels'] }),
      ...(version === undefined ? {} : { resourceVersion: version }),
    },
    spec: one.wanted['spec'] ?? {},
  };
  await plane.call({ method: 'PATCH', path: one.path, query, body: patch, contentType: 'application/merge-patch+json' });
  return 'configured';
}

function planned(resource: typeof clusters, wish: OnboardWish, live: JsonObject | null, wanted: JsonObject): PlannedObject {
  const change = live === null ? 'create' : isSame(live, wanted) ? 'unchanged' : 'change';
  const title = `${textAt(wanted, 'kind') ?? ''}/${wish.planeNamespace}/${wish.name}`;
  return {
    title,
    path: pathOf(resource, wish.planeNamespace, wish.name),
    collection: pathOf(resource, wish.planeNamespace),
    wanted,
    live,
    change,
  };
}

/** Whether everything wanted is there already; what else is there stays. */
function isSame(live: Json | undefined, wanted: Json): boolean {
  if (!isObject(wanted)) return live !== undefined && canonicalJson(live) === canonicalJson(wanted);
  return isObject(live) && Object.entries(wanted).every(([key, value]) => isSame(live[key], value));
}

function clusterObject(wish: OnboardWish, facts: ClusterFacts, live: JsonObject | null): JsonObject {
  const labels = at(live ?? {}, 'metadata', 'labels');
  return {
    apiVersion: 'weir.dev/v1',
    kind: 'Cluster',
    metadata: { namespace: wish.planeNamespace, name: wish.name, labels: { ...(isObject(labels) ? labels : {}), ...wish.labels } },
    spec: { server: facts.server, caBundle: facts.caPem },
  };
}

function grantObject(wish: OnboardWish, live: JsonObject | null): JsonObject {
  const before = objects(at(live ?? {}, 'spec', 'tenants'));
  const kept = before.map((entry) => {
    const wanted = wish.tenants.find((one) => one.tenant === textAt(entry, 'tenant'));
    return wanted === undefined ? entry : { ...entry, namespaces: union(at(entry, 'namespaces'), wanted.namespaces) };
  });
  const added = wish.tenants.filter((one) => !before.some((entry) => textAt(entry, 'tenant') === one.tenant));
  const fresh = added.map(({ tenant, namespaces }) => ({ tenant, namespaces, serviceAccount: { ...tenantAccount(tenant) } }));
  return {
    apiVersion: 'weir.dev/v1',
    kind: 'ClusterGrant',
    metadata: { namespace: wish.planeNamespace, name: wish.name },
    spec: { cluster: wish.name, tenants: [...kept, ...fresh] },
  };
}

function union(before: Json | undefined, more: readonly string[]): readonly Json[] {
  const have = Array.isArray(before) ? before : [];
  return [...have, ...more.filter((one) => !have.includes(one))];
}

function hasGoodCredential(cluster: JsonObject, nowMs: number): boolean {
  const issuedAtMs = parseRfc3339(textAt(cluster, 'status', 'credential', 'issuedAt') ?? '');
  const expiresAtMs = parseRfc3339(textAt(cluster, 'status', 'credential', 'expiresAt') ?? '');
  const ready = objects(at(cluster, 'status', 'conditions')).find((one) => textAt(one, 'type') === 'Ready');
  if (issuedAtMs === null || expiresAtMs === null || textAt(ready, 'status') !== 'True') return false;
  return nowMs < issuedAtMs + (expiresAtMs - issuedAtMs) / 2;
}
