import { refOfId } from '#core/object-id.ts';
import type { LiveMeta } from '#core/ports.ts';
import type { Leaving } from '#core/prune-guard.ts';
import type { InventoryEntry } from '#core/store.ts';
import { type Desired, liveKey } from './desired.ts';

/** What differs between the source, the inventory and the cluster. */
export type Plan = Readonly<{
  apply: readonly Desired[];
  /** The live object moved, but only a dry run can say whether it differs (kinds without `generation`). */
  suspects: readonly Desired[];
  /** Claimed by another delivery: refused, never touched (reliability.md fault 25). */
  conflicts: readonly Readonly<{ desired: Desired; owner: string }>[];
  prune: readonly Leaving[];
  /** In the inventory, left the source, and confirmed absent: only the record has to go. */
  forget: readonly string[];
  unchanged: number;
}>;

type Input = Readonly<{
  desired: readonly Desired[];
  inventory: readonly InventoryEntry[];
  live: ReadonlyMap<string, LiveMeta | null>;
  deliveryId: string /** Compare every object by a dry run. */;
  full: boolean;
}>;

/** Rendered set against the last applied digests and the live metadata. An object that did not change costs no request. Pure. */
export function planOf({ desired, inventory, live, deliveryId, full }: Input): Plan {
  const known = new Map(inventory.map((entry) => [entry.id, entry]));
  const wanted = new Set(desired.map((one) => one.id));
  const apply: Desired[] = [];
  const suspects: Desired[] = [];
  const conflicts: { desired: Desired; owner: string }[] = [];
  let unchanged = 0;
  for (const one of desired) {
    const meta = live.get(one.id) ?? null;
    switch (verdict(one, known.get(one.id), meta, deliveryId, full)) {
      case 'apply':
        apply.push(one);
        break;
      case 'suspect':
        suspects.push(one);
        break;
      case 'conflict':
        conflicts.push({ desired: one, owner: meta?.deliveryLabel ?? '' });
        break;
      case 'leave':
        unchanged += 1;
        break;
    }
  }
  return { apply, suspects, conflicts, unchanged, ...leaving(inventory, wanted, live) };
}

type Verdict = 'apply' | 'suspect' | 'conflict' | 'leave';

function verdict(one: Desired, entry: InventoryEntry | undefined, live: LiveMeta | null, deliveryId: string, full: boolean): Verdict {
  if (one.mode === 'Ignore') return 'leave';
  if (live !== null && liveKey(live.annotations, 'reconcile') === 'disabled') return 'leave';
  if (live !== null && live.deliveryLabel !== null && live.deliveryLabel !== deliveryId) return 'conflict';
  if (one.mode === 'IfNotPresent') return live === null ? 'apply' : 'leave';
  if (entry === undefined || entry.state !== 'applied' || entry.appliedDigest !== one.digest) return 'apply';
  if (live === null || live.uid !== entry.uid || live.deliveryLabel !== deliveryId) return 'apply';
  if (full) return 'suspect';
  if (live.generation !== null && entry.generation !== null)
    return newer(live, entry) && live.generation !== entry.generation ? 'apply' : 'leave';
  return newer(live, entry) ? 'suspect' : 'leave';
}

/** The watch may still show the state before our own write; only a later version can be somebody else's. etcd's versions grow (kube-api.md 2.7). */
function newer(live: LiveMeta, entry: InventoryEntry): boolean {
  if (entry.resourceVersion === null) return true;
  const [a, b] = [live.resourceVersion, entry.resourceVersion];
  return a.length === b.length ? a > b : a.length > b.length;
}

function leaving(
  inventory: readonly InventoryEntry[],
  wanted: ReadonlySet<string>,
  live: ReadonlyMap<string, LiveMeta | null>,
): Pick<Plan, 'prune' | 'forget'> {
  const prune: Leaving[] = [];
  const forget: string[] = [];
  for (const entry of inventory) {
    if (wanted.has(entry.id)) continue;
    const ref = refOfId(entry.id, entry.version);
    const meta = live.get(entry.id);
    if (ref === null || (meta === null && entry.uid === null)) {
      forget.push(entry.id);
      continue;
    }
    if (
      meta !== undefined &&
      meta !== null &&
      (liveKey(meta.annotations, 'prune') === 'disabled' ||
        liveKey(meta.annotations, 'reconcile') === 'disabled' ||
        liveKey(meta.annotations, 'ssa') === 'ignore')
    ) {
      forget.push(entry.id);
      continue;
    }
    prune.push({ id: entry.id, ref, uid: entry.uid ?? meta?.uid ?? null, live: meta ?? null });
  }
  return { prune, forget };
}
