import { APPROVE_PRUNE, REQUESTED_AT } from '#core/consequences.ts';
import { AppError } from '#core/errors.ts';
import { healthRules } from '#core/health-rules.ts';
import { textAt } from '#core/json.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import { describeRef, FENCE_ANNOTATION, objectId, refOfId, refOfManifest, splitApiVersion, withMetadata } from '#core/object-id.ts';
import type { BuildSpec, Health, LiveMeta, ObjectRef, Rendered, Substitution } from '#core/ports.ts';
import { pruneDigest, pruneGuard } from '#core/prune-guard.ts';
import type { InventoryEntry } from '#core/store.ts';
import { unreadyDependency } from './dependencies.ts';
import { type Desired, desiredObjects } from './desired.ts';
import { healthOf } from './health.ts';
import { type Plan, planOf } from './plan.ts';
import type { KustomizationSpec, KustomizationStatus } from './schema.ts';
import { findSource } from './source.ts';
import { timeoutMs } from './times.ts';
import { unsupportedField } from './unsupported.ts';
import { variablesOf } from './variables.ts';

export type Needs = 'lookup' | 'secrets' | 'render' | 'cluster' | 'inventory' | 'patterns';
export type KustomizationObj = Obj<'delivery', typeof KustomizationSpec, typeof KustomizationStatus>;

type Blocker = 'unsupported' | 'foreign' | 'missing' | 'noArtifact' | 'dependency' | 'expression';

/** What a look at one Kustomization on one cluster shows, as far as it got. */
export type Seen =
  | Readonly<{
      at: 'blocked';
      by: Blocker;
      message: string;
      revision: string | null;
    }>
  | Readonly<{
      at: 'rendered';
      revision: string;
      originRevision: string | null;
      artifactDigest: string;
      rendered: Rendered;
      /** To be applied: new, changed, drifted, or missing. */
      apply: readonly Desired[];
      /** Moved without a difference: only the record of their version is renewed. */
      settled: readonly Readonly<{ desired: Desired; live: LiveMeta }>[];
      plan: Plan;
      inventory: readonly InventoryEntry[];
      prune: Readonly<{ digest: string; guard: string | null; approved: boolean }>;
      /** Null while there is something to apply or prune, or nothing is to be waited for. */
      health: readonly Health[] | null;
      full: boolean;
    }>;

/** Reads only: source, dependencies, render (cached by content), inventory, live metadata (from the watch), and health when everything is applied. */
export async function observe(ctx: Ctx<Needs>, obj: KustomizationObj): Promise<Seen> {
  const { definition, spec } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) return blocked('unsupported', unsupported, null);
  const rules = healthRules(spec.healthCheckExprs ?? [], ctx.patterns);
  if (rules.is === 'invalid') return blocked('expression', rules.message, null);
  const source = await findSource(ctx.lookup, definition, spec.sourceRef);
  if (source.is !== 'artifact') return blocked(source.is, source.message, null);
  const dependency = await unreadyDependency(ctx, definition, spec, source.revision);
  if (dependency !== null) return blocked(dependency.by, dependency.message, source.revision);
  await ctx.failpoints.hit('r3');
  const substitution = await variablesOf(ctx, definition.namespace, spec, ctx.cluster.variables);
  await ctx.failpoints.hit('r4');
  const rendered = await renderPath(ctx, spec, source.digest, substitution);
  if ('missing' in rendered) return blocked('missing', rendered.missing, source.revision);
  await ctx.failpoints.hit('r5');
  const desired = await namedObjects(ctx, obj, rendered);
  const recorded = await ctx.inventory.load();
  const inventory = withinGrant(recorded, ctx.cluster.namespaces);
  const live = await ctx.cluster.live(obj.deliveryId, refsOf(desired, inventory), ctx.signal);
  const full =
    definition.annotations[REQUESTED_AT] !== obj.status?.lastHandledReconcileAt &&
    !obj.done.includes('apply') &&
    !obj.done.includes('note');
  const plan = planOf({ desired, inventory, live, deliveryId: obj.deliveryId, full });
  const sorted = await sortSuspects(ctx, plan, live);
  const prune = await judgePrune(ctx, plan, inventory.length, rendered.objects.length, definition.annotations[APPROVE_PRUNE]);
  const busy =
    (sorted.apply.length > 0 && !obj.done.includes('apply')) || (spec.prune && plan.prune.length > 0 && !obj.done.includes('prune'));
  const waitFor = busy ? [] : awaited(spec, desired, obj.definition.namespace);
  const health = waitFor.length === 0 ? null : await healthOf(ctx, obj.deliveryId, waitFor, rules.rules);
  return {
    at: 'rendered',
    revision: source.revision,
    originRevision: source.originRevision,
    artifactDigest: source.digest,
    rendered,
    ...sorted,
    plan,
    inventory: recorded,
    prune,
    health,
    full,
  };
}

/** A path that is not in the artifact is a source that is not there yet, not a build that failed (definitions.md 3.7). */
async function renderPath(
  ctx: Ctx<Needs>,
  spec: KustomizationSpec,
  artifactDigest: string,
  substitution: Substitution,
): Promise<Rendered | Readonly<{ missing: string }>> {
  try {
    return await ctx.render.render(
      { artifactDigest, path: spec.path ?? '', build: buildOf(spec), substitution },
      { timeoutMs: timeoutMs(spec) },
      ctx.signal,
    );
  } catch (error) {
    if (error instanceof AppError && error.code === 'notFound') return { missing: error.message };
    throw error;
  }
}

function blocked(by: Blocker, message: string, revision: string | null): Seen {
  return { at: 'blocked', by, message, revision };
}

export function buildOf(spec: KustomizationSpec): BuildSpec {
  return {
    targetNamespace: spec.targetNamespace ?? null,
    namePrefix: spec.namePrefix ?? null,
    nameSuffix: spec.nameSuffix ?? null,
    patches: spec.patches ?? [],
    images: spec.images ?? [],
    components: spec.components ?? [],
    ignoreMissingComponents: spec.ignoreMissingComponents ?? false,
    buildMetadata: spec.buildMetadata ?? null,
    commonLabels: spec.commonMetadata?.labels ?? {},
    commonAnnotations: spec.commonMetadata?.annotations ?? {},
  };
}

/** Scope of each rendered kind, asked of the cluster once per kind; kinds that this render itself defines by a CRD are known from it. */
export async function namedObjects(ctx: Ctx<Needs>, obj: KustomizationObj, rendered: Rendered): Promise<readonly Desired[]> {
  const scopes = new Map<string, boolean | null>();
  for (const manifest of rendered.objects) {
    if (textAt(manifest, 'kind') !== 'CustomResourceDefinition') continue;
    const group = textAt(manifest, 'spec', 'group') ?? '';
    scopes.set(`${group}/${textAt(manifest, 'spec', 'names', 'kind') ?? ''}`, textAt(manifest, 'spec', 'scope') !== 'Cluster');
  }
  const keyOfKind = (apiVersion: string, kind: string) => `${splitApiVersion(apiVersion).group}/${kind}`;
  for (const manifest of rendered.objects) {
    const ref = refOfManifest(manifest);
    if (ref === null || scopes.has(keyOfKind(ref.apiVersion, ref.kind))) continue;
    const found = await ctx.cluster.resolve(ref.apiVersion, ref.kind, ctx.signal);
    scopes.set(keyOfKind(ref.apiVersion, ref.kind), found?.namespaced ?? null);
  }
  const { definition, spec } = obj;
  return desiredObjects(
    rendered.objects,
    { name: definition.name, namespace: definition.namespace, deliveryId: obj.deliveryId },
    {
      definitionNamespace: definition.namespace,
      granted: ctx.cluster.namespaces,
      clusterName: ctx.cluster.clusterName,
      isNamespaced: (apiVersion, kind) => scopes.get(keyOfKind(apiVersion, kind)) ?? null,
    },
    { force: spec.force ?? false },
  );
}

/**
 * Entries in namespaces that are still granted. The others stay recorded and are not looked at: the tenant's account has no business there any more, and nothing is known about
 * them, so nothing is deleted.
 */
export function withinGrant(inventory: readonly InventoryEntry[], granted: readonly string[]): readonly InventoryEntry[] {
  if (granted.length === 0) return inventory;
  return inventory.filter((entry) => {
    const ref = refOfId(entry.id, entry.version);
    return ref === null || ref.namespace === '' || granted.includes(ref.namespace);
  });
}

function refsOf(desired: readonly Desired[], inventory: readonly InventoryEntry[]): readonly Readonly<{ id: string; ref: ObjectRef }>[] {
  const refs = new Map<string, ObjectRef>();
  for (const one of desired) refs.set(one.id, one.ref);
  for (const entry of inventory) {
    const ref = refOfId(entry.id, entry.version);
    if (ref !== null && !refs.has(entry.id)) refs.set(entry.id, ref);
  }
  return [...refs].map(([id, ref]) => ({ id, ref }));
}

/** One dry run for each object that moved but has no generation; the live fence stays out of the comparison. */
async function sortSuspects(
  ctx: Ctx<Needs>,
  plan: Plan,
  live: ReadonlyMap<string, LiveMeta | null>,
): Promise<Readonly<{ apply: readonly Desired[]; settled: readonly Readonly<{ desired: Desired; live: LiveMeta }>[] }>> {
  const apply = [...plan.apply];
  const settled: { desired: Desired; live: LiveMeta }[] = [];
  for (const desired of plan.suspects) {
    const meta = live.get(desired.id) ?? null;
    if (meta === null) {
      apply.push(desired);
      continue;
    }
    const fence = meta.annotations[FENCE_ANNOTATION];
    const manifest =
      fence === undefined ? desired.manifest : withMetadata(desired.manifest, { annotations: { [FENCE_ANNOTATION]: fence } });
    const differs = await ctx.cluster.differs(
      { id: desired.id, ref: desired.ref, manifest, recreate: false, mode: desired.mode === 'Merge' ? 'Merge' : 'Override' },
      ctx.signal,
    );
    if (differs) apply.push(desired);
    else settled.push({ desired, live: meta });
  }
  return { apply, settled };
}

async function judgePrune(ctx: Ctx<Needs>, plan: Plan, total: number, rendered: number, approval: string | undefined) {
  const digest = pruneDigest(plan.prune);
  const holding: string[] = [];
  for (const one of plan.prune) {
    const holder = one.ref.kind === 'Namespace' || one.ref.kind === 'CustomResourceDefinition' || one.ref.kind === 'PersistentVolumeClaim';
    if (holder && one.live !== null && (await ctx.cluster.holdsContent(one.ref, ctx.signal))) holding.push(describeRef(one.ref));
  }
  return { digest, guard: pruneGuard({ prune: plan.prune, total, rendered, holding }), approved: approval === digest };
}

/** With `wait` every applied object, else the listed ones (definitions.md 3.1). */
function awaited(
  spec: KustomizationSpec,
  desired: readonly Desired[],
  namespace: string,
): readonly Readonly<{ id: string; ref: ObjectRef }>[] {
  if (spec.wait === true) return desired.filter((one) => one.mode !== 'Ignore').map(({ id, ref }) => ({ id, ref }));
  return (spec.healthChecks ?? []).map((check) => {
    const known = desired.find((one) => one.ref.kind === check.kind && one.ref.name === check.name);
    const ref = {
      apiVersion: check.apiVersion ?? known?.ref.apiVersion ?? 'v1',
      kind: check.kind,
      name: check.name,
      namespace: check.namespace ?? known?.ref.namespace ?? spec.targetNamespace ?? namespace,
    };
    return { id: objectId(ref), ref };
  });
}
