import { createHash } from 'node:crypto';
import { APPROVE_PRUNE } from './consequences.ts';
import { describeRef } from './object-id.ts';
import type { Cluster, LiveMeta, ObjectRef } from './ports.ts';

/** An object that left the source. `uid` is null when it was only intended and nobody knows whether it was ever made. */
export type Leaving = Readonly<{ id: string; ref: ObjectRef; uid: string | null; live: LiveMeta | null }>;

/** Digest of a prune plan, for the approval annotation: the same set of objects gives the same digest. */
export function pruneDigest(leaving: readonly Leaving[]): string {
  const ids = leaving.map((one) => `${one.id} ${one.uid ?? ''}`).sort();
  return createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 16);
}

const MASS_COUNT = 100;
const MASS_SHARE_COUNT = 20;

/**
 * Why a prune has to wait for a person, or null when it may go (design.md section 7): an empty render never deletes; more than half and more than 20 objects, 100 objects,
 * or something that still holds content waits.
 */
export function pruneGuard(
  input: Readonly<{ prune: readonly Leaving[]; total: number; rendered: number; holding: readonly string[] }>,
): string | null {
  const { prune, total, rendered, holding } = input;
  if (prune.length === 0) return null;
  if (rendered === 0) return 'the source renders to no objects at all';
  if (prune.length >= MASS_COUNT) return `it would delete ${prune.length} objects`;
  if (prune.length > MASS_SHARE_COUNT && prune.length * 2 > total) return `it would delete ${prune.length} of ${total} objects`;
  if (holding.length > 0) return `${holding.slice(0, 3).join(', ')} still holds content`;
  return null;
}

const HOLDERS: readonly string[] = Object.freeze(['Namespace', 'CustomResourceDefinition', 'PersistentVolumeClaim']);

/**
 * The approval that a deselected cluster waits for, or null when what is there may go (design.md section 7): the same guard as for a new revision. Asks the cluster whether
 * Namespaces, CRDs and volume claims still hold content.
 */
export async function deselectionGuard(
  cluster: Pick<Cluster, 'holdsContent'>,
  input: Readonly<{ kind: string; prune: readonly Leaving[]; total: number; annotations: Readonly<Record<string, string>> }>,
  signal: AbortSignal,
): Promise<Readonly<{ digest: string; count: number; reason: string; message: string }> | null> {
  const { kind, prune, total, annotations } = input;
  const digest = pruneDigest(prune);
  const holding: string[] = [];
  for (const one of prune)
    if (HOLDERS.includes(one.ref.kind) && one.live !== null && (await cluster.holdsContent(one.ref, signal)))
      holding.push(describeRef(one.ref));
  const reason = pruneGuard({ prune, total, rendered: total, holding });
  if (reason === null || annotations[APPROVE_PRUNE] === digest) return null;
  const message = `This cluster is no longer selected; deleting ${prune.length} objects there waits for approval because ${reason}. To go on, annotate the ${kind} with ${APPROVE_PRUNE}=${digest}`;
  return { digest, count: prune.length, reason, message };
}
