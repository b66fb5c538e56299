import { isCurrentByExisting, judgeHealth } from '#adapters/kube/health/judge.ts';
import { groupByCollection, type LiveRun, targetOf, type Wanted } from '#adapters/kube/live.ts';
import { isNewer } from '#adapters/kube/meta.ts';
import { getMeta, getObject, type Target } from '#adapters/kube/objects.ts';
import type { ResourceType } from '#adapters/kube/paths.ts';
import { pollUntil } from '#adapters/kube/pause.ts';
import { WatchRefused } from '#adapters/kube/watch/collection.ts';
import type { HealthEntry } from '#adapters/kube/watch/entries.ts';
import type { Watcher } from '#adapters/kube/watch/watcher.ts';
import { AppError } from '#core/errors.ts';
import type { Health } from '#core/ports.ts';

type Group = Readonly<{ type: ResourceType; namespace: string; wanted: readonly Wanted[] }>;
export type HealthRun = LiveRun & Readonly<{ nowMs(): number }>;

const catchUpMs = 3_000;

/**
 * Health of objects by kstatus. Kinds that are current by existing need only metadata; others are read from a watch of whole objects, which stays open while
 * something is in progress and makes the delivery due when a verdict changes. One result per ref; what could not be read is `unknown` with the reason.
 * Throws AppError clusterUnreachable, clusterRefused.
 */
export async function readHealth(run: HealthRun, wanted: readonly Wanted[]): Promise<readonly Health[]> {
  const { groups, kindless } = await groupByCollection(wanted, run.resolve);
  const found = new Map<string, Health>();
  for (const one of kindless)
    found.set(one.id, { id: one.id, is: 'notFound', message: `the cluster has no kind ${one.ref.kind} in ${one.ref.apiVersion}` });
  await Promise.all(
    groups.map(async (group) => {
      const apiVersion = group.wanted[0]?.ref.apiVersion ?? '';
      const healths = isCurrentByExisting(apiVersion, group.type.kind) ? await byExisting(run, group) : await byWatch(run, group);
      for (const one of healths) found.set(one.id, one);
    }),
  );
  return wanted.map((one) => found.get(one.id) ?? { id: one.id, is: 'unknown', message: 'not looked at' });
}

function byExisting(run: HealthRun, group: Group): Promise<readonly Health[]> {
  return each(group, async (one, target): Promise<Health> => {
    const meta = run.view.known(target) ?? (await getMeta(run.session, target, run.signal));
    if (meta === null) return notFound(one);
    return meta.deleting
      ? { id: one.id, is: 'inProgress', message: 'Resource scheduled for deletion' }
      : { id: one.id, is: 'current', message: 'Resource is current' };
  });
}

async function byWatch(run: HealthRun, group: Group): Promise<readonly Health[]> {
  const open = run.view.healths(run.deliveryId, group.type, group.namespace);
  if (open === null) return byRequest(run, group);
  try {
    await open.watcher.ready(run.signal);
  } catch (error) {
    if (error instanceof WatchRefused) return byRequest(run, group);
    throw error;
  }
  // Before the look: a verdict that changes while it lasts wakes the delivery once too often rather than never.
  open.use.inProgress = true;
  const healths = await each(group, (one, target) => fromWatch(run, one, target, open.watcher));
  open.use.inProgress = healths.some((one) => one.is === 'inProgress' || one.is === 'notFound');
  return healths;
}

async function fromWatch(run: HealthRun, one: Wanted, target: Target, watcher: Watcher<HealthEntry>): Promise<Health> {
  const written = run.view.lastWritten(target);
  const isBehind = (entry: HealthEntry): boolean => written !== null && isNewer(written, entry.resourceVersion);
  const first = watcher.get(target.name);
  // Not labelled as ours: a health check may name any object.
  if (first === null && written === null) return ask(run, one, target);
  const entry = await pollUntil(catchUpMs, run.nowMs, run.signal, async () => {
    const now = watcher.get(target.name);
    return now === null || isBehind(now) ? null : now;
  });
  return entry === null ? ask(run, one, target) : { id: one.id, ...entry.verdict };
}

function byRequest(run: HealthRun, group: Group): Promise<readonly Health[]> {
  return each(group, (one, target) => ask(run, one, target));
}

async function ask(run: HealthRun, one: Wanted, target: Target): Promise<Health> {
  const object = await getObject(run.session, target, 'application/json', run.signal);
  return object === null ? notFound(one) : { id: one.id, ...judgeHealth(one.ref.apiVersion, one.ref.kind, object, run.nowMs()) };
}

function notFound(one: Wanted): Health {
  return { id: one.id, is: 'notFound', message: `${one.ref.kind} ${one.ref.name} does not exist` };
}

/** A refusal to read one object is that object's result; what concerns the whole cluster is thrown. */
function each(group: Group, look: (one: Wanted, target: Target) => Promise<Health>): Promise<readonly Health[]> {
  return Promise.all(
    group.wanted.map(async (one): Promise<Health> => {
      try {
        return await look(one, targetOf(group, one));
      } catch (error) {
        if (error instanceof AppError && (error.code === 'clusterAnswer' || error.code === 'invalid'))
          return { id: one.id, is: 'unknown', message: error.message };
        throw error;
      }
    }),
  );
}
