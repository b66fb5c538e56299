import { UUID } from './tenant.ts';

/** What a queue carries: ids and nothing else. Truth is the row; duplicate, lost, forged or late jobs are harmless. */
export type Job = Readonly<{ tenantId: string; kind: string; id: string; clusterId?: string }>;

const KIND = /^[A-Z][A-Za-z]{1,62}$/;
const KEYS: readonly string[] = Object.freeze(['tenantId', 'kind', 'id', 'clusterId']);

/** A job from whatever the queue holds, or null when it has not exactly the shape of one. Pure. */
export function parseJob(data: unknown): Job | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return null;
  const entries = new Map(Object.entries(data));
  if ([...entries.keys()].some((key) => !KEYS.includes(key))) return null;
  const tenantId = entries.get('tenantId');
  const kind = entries.get('kind');
  const id = entries.get('id');
  const clusterId = entries.get('clusterId');
  if (typeof tenantId !== 'string' || !UUID.test(tenantId)) return null;
  if (typeof id !== 'string' || !UUID.test(id)) return null;
  if (typeof kind !== 'string' || !KIND.test(kind)) return null;
  if (clusterId === undefined) return Object.freeze({ tenantId, kind, id });
  if (typeof clusterId !== 'string' || !UUID.test(clusterId)) return null;
  return Object.freeze({ tenantId, kind, id, clusterId });
}

/** Deduplication id of a job. BullMQ refuses `:` in it. */
export function jobKey(job: Job): string {
  return [job.tenantId, job.kind, job.id, job.clusterId ?? 'definition'].join('/');
}
