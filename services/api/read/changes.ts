import { changesSince } from '#adapters/postgres/objects.ts';
import type { JsonObject } from '#core/json.ts';
import type { Change } from '#core/store.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { isNewer } from '#services/api/read/list-options.ts';
import { present } from '#services/api/read/present.ts';
import { isWanted, type Reading, type ReadPart } from '#services/api/read/reading.ts';
import type { EventType } from '#services/api/read/watch-events.ts';

export type WatchChange = Readonly<{ version: string; type: EventType; wire: JsonObject }>;
/** Changes in order; everything up to `upTo` is in it. `more`: there may be further ones at once. */
export type Look = Readonly<{ changes: readonly WatchChange[]; upTo: string; more: boolean }>;

const maxChanges = 500;

type PartLook = Readonly<{ changes: readonly WatchChange[]; upTo: string; isFull: boolean }>;

/** What happened after a version, over all parts, in one snapshot. 'expired' when the log no longer reaches back so far. */
export async function readChanges(deps: ApiDeps, reading: Reading, after: string): Promise<Look | 'expired'> {
  const byTenant = new Map(reading.parts.map((part) => [part.scope.tenantId, part] as const));
  const looks = await deps.db.inTenants(
    reading.parts.map((part) => part.scope),
    async (scope, tx): Promise<PartLook | 'expired'> => {
      const part = byTenant.get(scope.tenantId);
      if (part === undefined) throw new Error('a snapshot over a tenant that was not asked for');
      const found = await changesSince(tx, { kind: reading.resource.kind, namespaces: part.namespaces, after, limit: maxChanges });
      if (found === 'expired') return 'expired';
      const isFull = found.changes.length >= maxChanges;
      const changes: WatchChange[] = [];
      for (const change of found.changes) {
        const event = eventOf(reading, part, change);
        if (event !== null)
          changes.push({
            version: change.resourceVersion,
            type: event.type,
            wire: await present(tx, deps.keys, reading.resource, event.object, part.reveal && event.type !== 'DELETED'),
          });
      }
      return { changes, upTo: isFull ? (found.changes.at(-1)?.resourceVersion ?? found.upTo) : found.upTo, isFull };
    },
  );
  if (looks.some((look) => look === 'expired')) return 'expired';
  return join(
    looks.filter((look): look is PartLook => look !== 'expired'),
    after,
  );
}

/** A part that is full ends earlier than the others: what lies behind its end waits for the next look. */
function join(looks: readonly PartLook[], after: string): Look {
  const ends = looks.map((look) => look.upTo);
  const upTo = ends.reduce((least, end) => (isNewer(least, end) ? end : least), ends[0] ?? after);
  const changes = looks
    .flatMap((look) => look.changes)
    .filter((change) => !isNewer(change.version, upTo))
    .toSorted((a, b) => (a.version === b.version ? 0 : isNewer(a.version, b.version) ? 1 : -1));
  return { changes, upTo, more: looks.some((look) => look.isFull) };
}

/**
 * The event a change means under the selectors: what starts to match is ADDED, what stops is DELETED in its last matching state with the new
 * version (kube-api.md section 4).
 */
function eventOf(
  reading: Reading,
  part: ReadPart,
  { type, object, before, resourceVersion }: Change,
): Readonly<{ type: EventType; object: Change['object'] }> | null {
  const isNow = type !== 'DELETED' && isWanted(reading.selectors, part, object);
  const last = type === 'DELETED' ? (before ?? object) : before;
  const wasBefore = last !== null && isWanted(reading.selectors, part, last);
  if (isNow) return { type: wasBefore ? 'MODIFIED' : 'ADDED', object };
  if (!wasBefore || last === null) return null;
  return { type: 'DELETED', object: { ...(type === 'DELETED' ? object : last), resourceVersion } };
}
