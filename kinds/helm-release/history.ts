import type { Snapshot } from './status.ts';

const MAX_SNAPSHOTS = 20;

/** What an action knows of the record it made, that the record itself does not say. */
export type Made = Readonly<{ version: number; configDigest: string; ociDigest: string | null; action: string }>;

/**
 * History as status shows it: newest first, back to the last good release before the current one (definitions.md 4.5). `records` is what the cluster holds; an older entry
 * that is no longer there stays for as long as it is needed to tell. Pure.
 */
export function historyFrom(
  before: readonly Snapshot[],
  records: readonly Snapshot[],
  made: Made | null,
  ignoreTests: boolean,
): Snapshot[] {
  const [latest] = records;
  if (latest === undefined) return [];
  const known = new Map(before.map((one) => [keyOf(one), one]));
  const wanted = records.filter((one) => one.version === made?.version || known.has(keyOf(one)));
  const merged = wanted.map((one) => withKnown(one, known.get(keyOf(one)), made));
  const kept: Snapshot[] = [];
  for (const one of merged) {
    kept.push(one);
    if (kept.length > 1 && isGood(one, ignoreTests)) break;
  }
  return kept.slice(0, MAX_SNAPSHOTS);
}

function withKnown(record: Snapshot, known: Snapshot | undefined, made: Made | null): Snapshot {
  if (record.version === made?.version) {
    const { configDigest, ociDigest, action } = made;
    return { ...record, configDigest, action, ...(ociDigest === null ? {} : { ociDigest }) };
  }
  if (known === undefined) return record;
  const { configDigest, ociDigest, action, testHooks } = known;
  return {
    ...record,
    configDigest,
    ...(ociDigest === undefined ? {} : { ociDigest }),
    ...(action === undefined ? {} : { action }),
    ...(record.testHooks === undefined && testHooks !== undefined ? { testHooks } : {}),
  };
}

/** A release that a rollback may go back to. */
export function isGood(one: Snapshot, ignoreTests: boolean): boolean {
  return (one.status === 'deployed' || one.status === 'superseded') && (ignoreTests || !hasFailedTest(one));
}

export function hasFailedTest({ testHooks }: Snapshot): boolean {
  return Object.values(testHooks ?? {}).some((hook) => hook.phase === 'Failed');
}

/** The release before the current one that a rollback goes to, as far as status knows it. */
export function previousGood(history: readonly Snapshot[], ignoreTests: boolean): Snapshot | null {
  return history.slice(1).find((one) => isGood(one, ignoreTests)) ?? null;
}

function keyOf(one: Snapshot): string {
  return `${one.namespace}/${one.name}/${one.version}/${one.digest}`;
}
