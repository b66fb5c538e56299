import { at, type Json, type JsonObject, textAt } from '#core/json.ts';
import { type CliFailure, refused } from '#services/cli/failure.ts';
import type { Plane } from '#services/cli/plane/plane.ts';
import { listAll, objects } from '#services/cli/plane/resources.ts';

export type ConditionText = Readonly<{ status: string; reason: string; message: string; observedGeneration: number | null }>;

/** A condition of any object's status, or null. */
export function conditionOf(object: JsonObject | null, type: string): ConditionText | null {
  const found = objects(at(object ?? {}, 'status', 'conditions')).find((one) => textAt(one, 'type') === type);
  if (found === undefined) return null;
  const generation: Json | undefined = found['observedGeneration'];
  return {
    status: textAt(found, 'status') ?? '',
    reason: textAt(found, 'reason') ?? '',
    message: textAt(found, 'message') ?? '',
    observedGeneration: typeof generation === 'number' ? generation : null,
  };
}

/** Ready=True for the generation that the object has now. */
export function isReadyNow(object: JsonObject | null): boolean {
  const ready = conditionOf(object, 'Ready');
  return (
    ready?.status === 'True' &&
    (ready.observedGeneration === null || ready.observedGeneration === at(object ?? {}, 'metadata', 'generation'))
  );
}

/** A person must act: waiting longer does not help. */
export function isStalledNow(object: JsonObject | null): boolean {
  const stalled = conditionOf(object, 'Stalled');
  return (
    stalled?.status === 'True' &&
    (stalled.observedGeneration === null || stalled.observedGeneration === at(object ?? {}, 'metadata', 'generation'))
  );
}

export type NotReady = Readonly<{ object: JsonObject | null; title: string; why: string; cluster?: string; next: string }>;

/** The one text for everything that was waited for in vain: object, failing condition, last event, cluster to blame, next command (cli-console 1.6). Exit 1. */
export async function notReady(plane: Plane, { object, title, why, cluster, next }: NotReady): Promise<CliFailure> {
  const condition = conditionOf(object, 'Ready') ?? conditionOf(object, 'Stalled');
  const event = object === null ? null : await lastEvent(plane, object);
  const details = [
    ...(condition === null ? ['condition: none yet'] : [`condition: Ready=${condition.status}, ${condition.reason}: ${condition.message}`]),
    ...(event === null ? [] : [`last event: ${event}`]),
    ...(cluster === undefined ? [] : [`cluster: ${cluster}`]),
  ];
  return refused(`${title} ${why}`, { details, next });
}

async function lastEvent(plane: Plane, object: JsonObject): Promise<string | null> {
  const namespace = textAt(object, 'metadata', 'namespace');
  if (namespace === undefined) return null;
  const fieldSelector = `involvedObject.kind=${textAt(object, 'kind') ?? ''},involvedObject.name=${textAt(object, 'metadata', 'name') ?? ''}`;
  const { items } = await listAll(plane, `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`, { fieldSelector });
  const latest = items.toSorted((a, b) => timeOf(a) - timeOf(b)).at(-1);
  return latest === undefined
    ? null
    : `${textAt(latest, 'type') ?? ''} ${textAt(latest, 'reason') ?? ''}: ${textAt(latest, 'message') ?? ''}`;
}

function timeOf(event: JsonObject): number {
  return (
    Date.parse(textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? textAt(event, 'metadata', 'creationTimestamp') ?? '') || 0
  );
}
