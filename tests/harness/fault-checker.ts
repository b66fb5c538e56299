/**
 * "Nothing lost" as functions (reliability.md 2.2): each takes what was seen and gives the violations, one sentence each; an empty list means that the invariant holds.
 * Pure, so that seeded bugs prove them (fault-checker.test.ts).
 */

/** An object with our label, as the cluster's API server shows it. `content` is what the source decides about it. */
export type LiveObject = Readonly<{ id: string; uid: string; fence: number; content: string }>;
export type WantedObject = Readonly<{ id: string; content: string }>;
/** One write of a client on one definition. `unknown`: no answer came. */
export type ClientWrite = Readonly<{ name: string; outcome: 'ok' | 'unknown' | 'refused'; generation: number | null; content: string }>;
/** A definition as PostgreSQL holds it. */
export type StoredDefinition = Readonly<{ name: string; generation: number; content: string }>;
/** What a watch on the cluster saw, in its order. */
export type Seen = Readonly<{ id: string; uid: string; type: 'ADDED' | 'MODIFIED' | 'DELETED'; fence: number }>;
/** A delete that the API server's audit log tells of. */
export type Deletion = Readonly<{ id: string; user: string; atMs: number }>;
/** From `fromMs` on the newest verified revision holds these objects. */
export type Revision = Readonly<{ fromMs: number; ids: ReadonlySet<string> }>;

/** INV-1: an acknowledged write is there, or a later one is; one without an answer happened wholly or not at all. */
export function lostWrites(writes: readonly ClientWrite[], stored: readonly StoredDefinition[]): readonly string[] {
  const rows = new Map(stored.map((one) => [one.name, one]));
  return Object.entries(Object.groupBy(writes, (one) => one.name)).flatMap(([name, mine = []]) => {
    const row = rows.get(name);
    const newest = mine.findLast((one) => one.outcome === 'ok');
    if (row === undefined) return newest === undefined ? [] : [`${name}: acknowledged and not there`];
    const after = newest === undefined ? mine : mine.slice(mine.indexOf(newest));
    const possible = after.filter((one) => one.outcome !== 'refused').map((one) => one.content);
    const violations: string[] = [];
    if (newest?.generation !== undefined && newest.generation !== null && row.generation < newest.generation)
      violations.push(`${name}: generation ${row.generation} is older than the acknowledged ${newest.generation}`);
    if (!possible.includes(row.content)) violations.push(`${name}: holds ${row.content}, which nobody wrote last`);
    return violations;
  });
}

/** INV-3: every acknowledged trigger was handled, or a later one of the same unit; and no unit has a trigger that no run took. */
export function lostTriggers(
  acknowledged: readonly string[],
  handled: string | null,
  units: readonly Readonly<{ unit: string; triggerNo: number; handledNo: number }>[],
): readonly string[] {
  const last = acknowledged.at(-1);
  return [
    ...(last === undefined || last === handled ? [] : [`the trigger ${last} was acknowledged, ${handled ?? 'none'} was handled`]),
    ...units.flatMap((one) =>
      one.triggerNo === one.handledNo ? [] : [`${one.unit}: trigger ${one.triggerNo} is open, ${one.handledNo} was the last one taken`],
    ),
  ];
}

/** INV-4: what lives is what was rendered. */
export function differences(live: readonly LiveObject[], wanted: readonly WantedObject[]): readonly string[] {
  const there = new Map(live.map((one) => [one.id, one]));
  const ids = new Set(wanted.map((one) => one.id));
  return [
    ...wanted.flatMap((one) => {
      const found = there.get(one.id);
      if (found === undefined) return [`${one.id}: missing`];
      return found.content === one.content ? [] : [`${one.id}: holds ${found.content} instead of ${one.content}`];
    }),
    ...live.flatMap((one) => (ids.has(one.id) ? [] : [`${one.id}: extra`])),
  ];
}

/** INV-5: whatever lives with our label is in the recorded inventory. */
export function orphans(live: readonly Pick<LiveObject, 'id'>[], inventory: ReadonlySet<string>): readonly string[] {
  return live.flatMap((one) => (inventory.has(one.id) ? [] : [`${one.id}: lives and is in no inventory`]));
}

/** INV-6: nothing was deleted that the newest verified revision of that moment holds, nor anything that the plane never made. */
export function wrongfulDeletions(
  deletions: readonly Deletion[],
  revisions: readonly Revision[],
  everOurs: ReadonlySet<string>,
): readonly string[] {
  return deletions.flatMap((one) => {
    const revision = revisions.findLast((each) => each.fromMs <= one.atMs);
    if (revision?.ids.has(one.id) === true) return [`${one.id}: deleted by ${one.user} while the source holds it`];
    return everOurs.has(one.id) ? [] : [`${one.id}: deleted by ${one.user} and never ours`];
  });
}

/** INV-7: the writes of one delivery carry fences that never go back. */
export function fenceReversals(seen: readonly Seen[]): readonly string[] {
  const found: string[] = [];
  let highest = 0;
  for (const one of seen) {
    if (one.type === 'DELETED') continue;
    if (one.fence < highest) found.push(`${one.id}: written with fence ${one.fence} after ${highest}`);
    highest = Math.max(highest, one.fence);
  }
  return found;
}
