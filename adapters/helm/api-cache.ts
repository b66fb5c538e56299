import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';

/** Answers that an API server gives to everybody (its kinds and their schemas), as files whose names and form are helm's own. */
export type ApiAnswers = ReadonlyMap<string, Buffer>;

/**
 * What helm learned of a cluster's kinds, from run to run, so that hundreds of CRDs are not read again by each release. Helm asks the API server about each
 * answer again by its ETag: an old one costs a request, and is never taken for a new one.
 */
export type ApiCache = Readonly<{
  /** Puts what is kept for `key` into the folder, by hard links: nothing that happens to the cache meanwhile is seen there. */
  lend(key: string, folder: string): Promise<void>;
  /** Replaces what is kept for `key`. Idempotent. */
  keep(key: string, answers: ApiAnswers): Promise<void>;
}>;

type Kept = Readonly<{ folder: string; names: readonly string[]; bytes: number }>;

const MAX_KEYS = 1_000;
const MAX_BYTES = 512 * 1024 * 1024;

/** `dir` belongs to this cache alone and lies on the file system of the folders that it is lent to; least used first out. The key has to name tenant, cluster and account. */
export function createApiCache(dir: string): ApiCache {
  const gone: string[] = [];
  const cache = new LRUCache<string, Kept>({
    max: MAX_KEYS,
    maxSize: MAX_BYTES,
    sizeCalculation: ({ bytes }) => Math.max(1, bytes),
    dispose: ({ folder }) => {
      gone.push(folder);
    },
  });
  return Object.freeze({
    async lend(key: string, folder: string): Promise<void> {
      const kept = cache.get(digestOf(key));
      for (const name of kept?.names ?? []) await linkIfThere(join(kept?.folder ?? '', name), join(folder, name));
    },
    async keep(key: string, answers: ApiAnswers): Promise<void> {
      const folder = join(dir, randomUUID());
      await mkdir(folder, { recursive: true, mode: 0o700 });
      for (const [name, content] of answers) await writeFile(join(folder, name), content, { mode: 0o444, flag: 'wx' });
      const bytes = [...answers.values()].reduce((sum, one) => sum + one.length, 0);
      cache.set(digestOf(key), { folder, names: [...answers.keys()], bytes });
      for (const one of gone.splice(0)) await rm(one, { recursive: true, force: true });
    },
  });
}

/** One that was replaced meanwhile is asked for again by helm. */
async function linkIfThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
