import { canHoldContent, holdsForeignContent } from '#adapters/kube/content.ts';
import { wouldDiffer } from '#adapters/kube/differs.ts';
import type { Discovery } from '#adapters/kube/discovery.ts';
import { outsideGrant } from '#adapters/kube/grant.ts';
import { readHealth } from '#adapters/kube/health/read-health.ts';
import { type LiveRun, readLabelledAll, readLive, type Wanted } from '#adapters/kube/live.ts';
import { getObject, type Target } from '#adapters/kube/objects.ts';
import type { ResourceType } from '#adapters/kube/paths.ts';
import { previewApply } from '#adapters/kube/preview.ts';
import { type RemoveTarget, removeAll } from '#adapters/kube/remove.ts';
import type { Session } from '#adapters/kube/session.ts';
import { applyAll } from '#adapters/kube/ssa/apply.ts';
import { nameOf } from '#adapters/kube/ssa/outcome.ts';
import type { LiveView } from '#adapters/kube/watch/live-view.ts';
import { AppError } from '#core/errors.ts';
import type { Failpoints } from '#core/failpoints.ts';
import type { JsonObject } from '#core/json.ts';
import type { Applied, ApplyItem, Cluster, Health, LiveMeta, ObjectRef, Removed } from '#core/ports.ts';
import type { Clock } from '#core/time.ts';

export type Bound = Readonly<{
  clusterId: string;
  clusterName: string;
  variables: Readonly<Record<string, string>>;
  namespaces: readonly string[];
  deliveryId: string;
  session: Session;
  discovery: Discovery;
  view: LiveView;
  clock: Clock;
  failpoints: Failpoints;
  /** Whose fields an apply writes. */
  fieldManager: string;
  sees(deliveryId: string, mode: 'watch' | 'list'): void;
}>;

/** One cluster as one tenant account sees it, for one delivery. */
export function createCluster(bound: Bound): Cluster {
  const { session, discovery, view, clusterName, namespaces, deliveryId } = bound;
  const resolver = (signal: AbortSignal) => (apiVersion: string, kind: string) => discovery.resolve(session, apiVersion, kind, signal);
  const refuses = (ref: ObjectRef, type: ResourceType | null): string | null => outsideGrant(ref, type, clusterName, namespaces);
  const looks = (delivery: string, signal: AbortSignal): LiveRun => ({
    session,
    view,
    deliveryId: delivery,
    resolve: resolver(signal),
    sees: (mode) => bound.sees(delivery, mode),
    signal,
  });

  async function find(ref: ObjectRef, signal: AbortSignal): Promise<Target | null> {
    const type = await resolver(signal)(ref.apiVersion, ref.kind);
    if (type === null) return null;
    const refusal = refuses(ref, type);
    if (refusal !== null) throw new AppError('clusterAnswer', refusal);
    return { type, namespace: type.namespaced ? ref.namespace : '', name: ref.name };
  }

  return Object.freeze({
    clusterId: bound.clusterId,
    clusterName,
    variables: bound.variables,
    namespaces,
    account: session.account,
    async resolve(apiVersion: string, kind: string, signal: AbortSignal) {
      const type = await resolver(signal)(apiVersion, kind);
      return type === null ? null : { plural: type.plural, namespaced: type.namespaced };
    },
    apply(
      items: readonly ApplyItem[],
      options: Readonly<{ dryRun: boolean; beforeBatch(): Promise<void>; afterBatch(results: readonly Applied[]): Promise<void> }>,
      signal: AbortSignal,
    ) {
      return applyAll(
        {
          session,
          fieldManager: bound.fieldManager,
          dryRun: options.dryRun,
          nowMs: () => bound.clock.nowMs(),
          known: view.known,
          wrote: view.wrote,
          writing: view.writing,
          resolve: resolver(signal),
          refuses: (item, type) => refuses(item.ref, type),
          kindsChanged: discovery.forget,
          appliedOne: () => bound.failpoints.hit('r7'),
          beforeBatch: options.beforeBatch,
          afterBatch: options.afterBatch,
          signal,
        },
        items,
      );
    },
    live: (delivery: string, refs: readonly Wanted[], signal: AbortSignal): Promise<ReadonlyMap<string, LiveMeta | null>> =>
      readLive(looks(delivery, signal), refs),
    labelled: (delivery: string, kind: Parameters<Cluster['labelled']>[1], signal: AbortSignal) =>
      readLabelledAll(looks(delivery, signal), kind),
    async read(ref: ObjectRef, signal: AbortSignal): Promise<JsonObject | null> {
      const target = await find(ref, signal);
      return target === null ? null : getObject(session, target, 'application/json', signal);
    },
    async preview(item: ApplyItem, signal: AbortSignal) {
      const target = await find(item.ref, signal);
      if (target === null)
        throw new AppError('clusterAnswer', `${nameOf(item.ref)}: the cluster has no kind ${item.ref.kind} in ${item.ref.apiVersion}`);
      return previewApply({ session, fieldManager: bound.fieldManager }, target, item, signal);
    },
    async differs(item: ApplyItem, signal: AbortSignal): Promise<boolean> {
      const target = await find(item.ref, signal);
      if (target === null)
        throw new AppError('clusterAnswer', `${nameOf(item.ref)}: the cluster has no kind ${item.ref.kind} in ${item.ref.apiVersion}`);
      return wouldDiffer({ session, fieldManager: bound.fieldManager }, target, item, signal);
    },
    remove(
      delivery: string,
      targets: readonly RemoveTarget[],
      options: Readonly<{ beforeBatch(): Promise<void>; afterBatch(results: readonly Removed[]): Promise<void> }>,
      signal: AbortSignal,
    ) {
      return removeAll(
        {
          session,
          deliveryId: delivery,
          resolve: resolver(signal),
          isKindGone: (apiVersion, kind) => discovery.isGone(session, apiVersion, kind, signal),
          refuses,
          writing: view.writing,
          gone: view.gone,
          removedOne: () => bound.failpoints.hit('r9'),
          beforeBatch: options.beforeBatch,
          afterBatch: options.afterBatch,
          signal,
        },
        targets,
      );
    },
    health: (delivery: string, refs: readonly Wanted[], signal: AbortSignal): Promise<readonly Health[]> =>
      readHealth({ ...looks(delivery, signal), nowMs: () => bound.clock.nowMs() }, refs),
    async holdsContent(ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
      if (!canHoldContent(ref)) return false;
      const target = await find(ref, signal);
      return target !== null && holdsForeignContent(session, target, deliveryId, () => discovery.all(session, signal), signal);
    },
  });
}
