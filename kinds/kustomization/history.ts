import { rfc3339 } from '#core/time.ts';
import type { KustomizationStatus } from './schema.ts';

type Snapshot = NonNullable<KustomizationStatus['history']>[number];
const MAX_SNAPSHOTS = 5;

/** Newest first, at most five, one entry per pair of digest and status (definitions.md 3.5). Pure. */
export function withSnapshot(
  history: readonly Snapshot[],
  digest: string,
  status: string,
  metadata: Readonly<Record<string, string>>,
  nowMs: number,
): Snapshot[] {
  const at = rfc3339(nowMs);
  const before = history.find((one) => one.digest === digest && one.lastReconciledStatus === status);
  const entry: Snapshot = {
    digest,
    firstReconciled: before?.firstReconciled ?? at,
    lastReconciled: at,
    lastReconciledStatus: status,
    totalReconciliations: (before?.totalReconciliations ?? 0) + 1,
    metadata: { ...metadata },
  };
  return [entry, ...history.filter((one) => one !== before)].slice(0, MAX_SNAPSHOTS);
}
