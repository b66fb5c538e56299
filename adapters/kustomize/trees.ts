import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors.ts';
import type { ArtifactTree, FileEntry } from './artifact-tree.ts';
import { openTree } from './artifact-tree.ts';

/** What is needed of the artifact store. Whether a tenant may use the artifact is the caller's question. */
export type ArtifactReader = Readonly<{
  /** Unpacks the artifact into an existing empty folder. Throws notFound when it is gone. */
  unpackTo(
    digest: string,
    directory: string,
    limits: Readonly<{ maxBytes: number; maxEntries: number }>,
    signal: AbortSignal,
  ): Promise<void>;
  index(digest: string): Promise<ReadonlyMap<string, FileEntry>>;
}>;

const UNPACK_LIMITS = Object.freeze({ maxBytes: 1024 ** 3, maxEntries: 200_000 });
const UNPACK_TIMEOUT_MS = 120_000;

export interface Trees {
  /** Unpacks an artifact once and keeps it; it stays at least until `work` is done. */
  use<T>(digest: string, work: (tree: ArtifactTree) => Promise<T>): Promise<T>;
}

type Held = { readonly tree: Promise<ArtifactTree>; readonly dir: string; users: number };

const DIGEST = /^sha256:([0-9a-f]{64})$/;

/** Unpacked artifacts below `dir`, at most `maxTrees` besides those in use; the least recently used go first. */
export function createTrees(artifacts: ArtifactReader, dir: string, maxTrees: number): Trees {
  const held = new Map<string, Held>();

  function hold(digest: string): Held {
    const known = held.get(digest);
    if (known !== undefined) {
      held.delete(digest);
      held.set(digest, known);
      return known;
    }
    const place = join(dir, hexOf(digest));
    const fresh: Held = { tree: unpack(artifacts, digest, dir, place), dir: place, users: 0 };
    fresh.tree.catch(() => {
      if (held.get(digest) === fresh) held.delete(digest);
    });
    held.set(digest, fresh);
    return fresh;
  }

  async function shrink(): Promise<void> {
    const idle = [...held].filter(([, one]) => one.users === 0);
    for (const [digest, one] of idle.slice(0, Math.max(0, idle.length - maxTrees))) {
      held.delete(digest);
      // Renamed first: a new use of the same digest unpacks to the same place at once.
      const trash = await mkdtemp(join(dir, 'gone-'));
      await rename(one.dir, join(trash, 'tree')).catch(() => undefined);
      await rm(trash, { recursive: true, force: true });
    }
  }

  return {
    async use(digest, work) {
      const one = hold(digest);
      one.users += 1;
      try {
        return await work(await one.tree);
      } finally {
        one.users -= 1;
        await shrink();
      }
    },
  };
}

function hexOf(digest: string): string {
  const hex = DIGEST.exec(digest)?.[1];
  if (hex === undefined) throw new AppError('notFound', 'this is no digest of an artifact');
  return hex;
}

async function unpack(artifacts: ArtifactReader, digest: string, dir: string, place: string): Promise<ArtifactTree> {
  await mkdir(dir, { recursive: true });
  const temporary = await mkdtemp(join(dir, 'new-'));
  try {
    await artifacts.unpackTo(digest, temporary, UNPACK_LIMITS, AbortSignal.timeout(UNPACK_TIMEOUT_MS));
    await rm(place, { recursive: true, force: true });
    await rename(temporary, place);
    return openTree(place, await artifacts.index(digest));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}
