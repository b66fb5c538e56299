import { randomUUID } from 'node:crypto';
import Value from 'typebox/value';
import { accessOf } from '#adapters/postgres/cluster-access.ts';
import { accountFor } from '#core/account.ts';
import type { ClusterDiff, FieldChange } from '#core/diff.ts';
import { AppError, TerminalError } from '#core/errors.ts';
import { noFailpoints } from '#core/failpoints.ts';
import { isObject, type Json } from '#core/json.ts';
import type { Ctx } from '#core/kind.ts';
import type { Log } from '#core/log.ts';
import type { Inventory, Lookup, Secrets } from '#core/ports.ts';
import type { Place } from '#core/reconcile/store.ts';
import { newSecretMask, type SecretMask } from '#core/secret-mask.ts';
import type { Run, StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { Needs as HelmNeeds } from '#kinds/helm-release/observe.ts';
import { preview as previewRelease } from '#kinds/helm-release/preview.ts';
import { HelmReleaseSpec } from '#kinds/helm-release/schema.ts';
import { preview } from '#kinds/kustomization/preview.ts';
import { KustomizationSpec } from '#kinds/kustomization/schema.ts';
import type { WorkerAdapters } from './adapters.ts';
import { type Asking, clusterFor } from './ports/cluster.ts';
import { helmFor } from './ports/helm.ts';
import { ownedFor } from './ports/owned.ts';
import { renderFor } from './ports/render.ts';
import { secretsFor } from './ports/secrets.ts';

/** What a proposed Kustomization or HelmRelease would change on each of its clusters, by server-side dry run as the tenant. One cluster that cannot tell does not hide the others. */
export type Previewer = (
  scope: TenantScope,
  proposed: StoredObject,
  options: Readonly<{ /** The caller may read Secret values. */ reveal: boolean; signal: AbortSignal }>,
) => Promise<readonly ClusterDiff[]>;

export function previewer(adapters: WorkerAdapters, log: Log): Previewer {
  return async (scope, proposed, options) => {
    const { places, hint } = await adapters.store.places(scope, proposed);
    if (places.length === 0) throw new AppError('buildFailed', hint);
    const diffs: ClusterDiff[] = [];
    for (const place of places) diffs.push(await onCluster(adapters, log, { scope, proposed, place, ...options }));
    return diffs;
  };
}

type Asked = Readonly<{ scope: TenantScope; proposed: StoredObject; place: Place; reveal: boolean; signal: AbortSignal }>;

async function onCluster(adapters: WorkerAdapters, log: Log, asked: Asked): Promise<ClusterDiff> {
  const cluster = `${asked.place.clusterNamespace}/${asked.place.clusterName}`;
  const mask = newSecretMask();
  try {
    const look = asked.proposed.kind === 'HelmRelease' ? lookAtRelease : lookAtKustomization;
    const { objects, substituted } = await look(adapters, log, asked, mask);
    // Who may ask need not be allowed to read the Secrets that are substituted. A value that was rotated since the last apply is known to nobody here: then all are hidden.
    const shown = (field: FieldChange) => (substituted && !asked.reveal ? hiddenField(field) : maskedField(field, mask));
    return { cluster, objects: objects.map((one) => ({ ...one, fields: one.fields.map(shown) })) };
  } catch (error) {
    if (error instanceof AppError || error instanceof TerminalError) return { cluster, objects: [], error: mask.text(error.message) };
    throw error;
  }
}

function hiddenField({ path, from, to }: FieldChange): FieldChange {
  const hidden = '(value hidden)';
  return { path, from: from === null ? null : hidden, to: to === null ? null : hidden };
}

function maskedField({ path, from, to }: FieldChange, mask: SecretMask): FieldChange {
  return { path: mask.text(path), from: maskedJson(from, mask), to: maskedJson(to, mask) };
}

function maskedJson(value: Json, mask: SecretMask): Json {
  if (typeof value === 'string') return mask.text(value);
  if (Array.isArray(value)) return value.map((one: Json) => maskedJson(one, mask));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [mask.text(key), maskedJson(one ?? null, mask)]));
}

async function lookAtKustomization(adapters: WorkerAdapters, log: Log, { scope, proposed, place, signal }: Asked, mask: SecretMask) {
  const { db, store, clusters, clock } = adapters;
  const spec: unknown = proposed.body['spec'];
  if (!Value.Check(KustomizationSpec, spec)) throw new Error('a proposed Kustomization was not checked before its preview');
  const access = await db.inTenant(scope, (tx) => accessOf(tx, place.clusterId));
  if (access === null) throw new AppError('forbidden', `cluster ${place.clusterName} was withdrawn from this tenant`);
  const lookup = store.lookup(scope, place.clusterId);
  const delivery = await lookup.deliveryOf({ kind: proposed.kind, namespace: proposed.namespace, name: proposed.name });
  const deliveryId = delivery?.uid ?? randomUUID();
  const secrets = secretsFor(adapters, scope, mask);
  const stored = await learnSubstituted({ lookup, secrets }, proposed);
  const substituted = stored || readsSecrets(spec);
  const ctx: Ctx<'lookup' | 'secrets' | 'render' | 'cluster' | 'inventory' | 'patterns'> = {
    scope,
    signal,
    log,
    failpoints: noFailpoints,
    nowMs: clock.nowMs,
    record: () => undefined,
    lookup,
    secrets,
    patterns: adapters.patterns,
    render: renderFor(adapters, scope),
    cluster: clusters.bind({ scope, access, account: accountFor(access, proposed), deliveryId }),
    inventory: readOnlyInventory(adapters, scope, proposed, place, deliveryId),
  };
  try {
    const objects = await preview(ctx, { definition: proposed, spec, status: null, done: [], clusterId: place.clusterId, deliveryId });
    return { objects, substituted };
  } finally {
    if (delivery === null) clusters.release(deliveryId);
  }
}

/** As for a Kustomization, by the ports that a run of the release would get. */
async function lookAtRelease(adapters: WorkerAdapters, log: Log, { scope, proposed, place, signal }: Asked, mask: SecretMask) {
  const { db, store, clusters, clock, patterns } = adapters;
  const spec: unknown = proposed.body['spec'];
  if (!Value.Check(HelmReleaseSpec, spec)) throw new Error('a proposed HelmRelease was not checked before its preview');
  const access = await db.inTenant(scope, (tx) => accessOf(tx, place.clusterId));
  const lookup = store.lookup(scope, place.clusterId);
  const known = await lookup.deliveryOf({ kind: proposed.kind, namespace: proposed.namespace, name: proposed.name });
  const delivery = known ?? { ...proposed, kind: 'Delivery', uid: randomUUID() };
  const deliveryId = delivery.uid;
  const run = previewRun(scope, proposed, place, deliveryId);
  const asking: Asking = {
    adapters,
    scope,
    run,
    unit: { definition: proposed, delivery, deselected: false, access, tenantName: '' },
    mask,
  };
  const secrets = secretsFor(adapters, scope, mask);
  const stored: unknown = (await lookup.get(proposed))?.body['spec'];
  const substituted = [spec, ...(Value.Check(HelmReleaseSpec, stored) ? [stored] : [])].some(takesSecrets);
  const ctx: Ctx<HelmNeeds> = {
    ...{ scope, signal, log, failpoints: noFailpoints, nowMs: clock.nowMs, record: () => undefined, lookup, secrets, patterns },
    helm: await helmFor(asking),
    owned: ownedFor(adapters, scope, proposed),
    cluster: await clusterFor(asking),
    inventory: readOnlyInventory(adapters, scope, proposed, place, deliveryId),
  };
  try {
    const obj = { definition: proposed, spec, status: null, done: [], clusterId: place.clusterId, deliveryId };
    return { objects: await previewRelease(ctx, obj), substituted };
  } finally {
    if (known === null) clusters.release(deliveryId);
  }
}

function takesSecrets(spec: HelmReleaseSpec): boolean {
  return (spec.valuesFrom ?? []).some((from) => from.kind === 'Secret');
}

/** What is on the cluster now was substituted from the Secrets that the stored definition names, whatever the proposed one says. */
async function learnSubstituted(
  { lookup, secrets }: Readonly<{ lookup: Lookup; secrets: Secrets }>,
  { kind, namespace, name }: StoredObject,
): Promise<boolean> {
  const spec: unknown = (await lookup.get({ kind, namespace, name }))?.body['spec'];
  if (!Value.Check(KustomizationSpec, spec)) return false;
  for (const from of spec.postBuild?.substituteFrom ?? []) if (from.kind === 'Secret') await secrets.read(namespace, from.name);
  return readsSecrets(spec);
}

function readsSecrets(spec: KustomizationSpec): boolean {
  return (spec.postBuild?.substituteFrom ?? []).some((from) => from.kind === 'Secret');
}

/** The records of a delivery that no run owns: what would write refuses. */
function readOnlyInventory(
  { store }: WorkerAdapters,
  scope: TenantScope,
  proposed: StoredObject,
  place: Place,
  deliveryId: string,
): Inventory {
  const refuse = async (): Promise<never> => {
    throw new Error('a preview writes nothing');
  };
  const records = store.inventory(scope, previewRun(scope, proposed, place, deliveryId));
  return { fence: -1, load: () => records.load(), intend: refuse, confirm: refuse, forget: refuse, checkFence: refuse };
}

function previewRun(scope: TenantScope, proposed: StoredObject, place: Place, deliveryId: string): Run {
  return {
    tenantId: scope.tenantId,
    kind: proposed.kind,
    definitionId: proposed.uid,
    clusterId: place.clusterId,
    unitId: deliveryId,
    fence: -1,
    triggerNo: 0,
    failures: 0,
    claimedAtMs: 0,
    cause: 'preview',
  };
}
