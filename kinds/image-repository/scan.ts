import { createHash } from 'node:crypto';
import type { Patterns } from '#core/ports.ts';
import type { Registry, RegistryRemote } from '#core/registry.ts';

export type Pattern = Extract<ReturnType<Patterns['compile']>, { is: 'pattern' }>;
export type Scan =
  /** The registry answered byte for byte what it answered for the tags that are stored. */
  | Readonly<{ is: 'same' }>
  | Readonly<{
      is: 'listed';
      /** In ascending byte order, without the excluded ones. */
      tags: readonly string[];
      /** `sha256:<hex>` of them. */
      revision: string;
      /** Digest of the registry's answer. */
      listing: string;
    }>;

type Want = Readonly<{
  excluded: readonly Pattern[];
  /** Listing of the stored tags, when these exclusions made them. */
  known: string | null;
  timeoutMs: number;
}>;

/** One listing of the tags of a repository. */
export async function scanTags(
  registry: Registry,
  remote: RegistryRemote,
  { excluded, known, timeoutMs }: Want,
  signal: AbortSignal,
): Promise<Scan> {
  const found = new Set<string>();
  const answer = await registry.tags(
    remote,
    (tag) => {
      if (!excluded.some((one) => one.isIn(tag))) found.add(tag);
    },
    { timeoutMs, known },
    signal,
  );
  if (answer.is === 'same') return answer;
  const tags = [...found].sort();
  return { is: 'listed', tags, revision: revisionOf(tags), listing: answer.listing };
}

/** No tag holds a line break. */
function revisionOf(tags: readonly string[]): string {
  return `sha256:${createHash('sha256')
    .update(tags.map((tag) => `${tag}\n`).join(''))
    .digest('hex')}`;
}
