import { type Glob, hasGlob, parseGlob } from './glob.ts';
import type { Artifact } from './ports.ts';

/** Artifacts made of others, as kinds see them; `adapters/compose` implements it. */

export type CopyStrategy = 'Overwrite' | 'Merge' | 'Extract';

/** One checked copy rule of an ArtifactGenerator. */
export type CopyRule = Readonly<{
  /** As written, for messages. */
  shown: string;
  alias: string;
  /** A plain path in the source (empty for its root), or the pattern. */
  from: Readonly<{ is: 'path'; path: string }> | Readonly<{ is: 'glob'; text: string; glob: Glob }>;
  /** Path in the artifact, empty for its root; `intoFolder` when it was written with a slash at the end. */
  to: string;
  intoFolder: boolean;
  exclude: readonly Readonly<{ text: string; glob: Glob }>[];
  strategy: CopyStrategy;
}>;

export type ComposeOutput = Readonly<{ name: string; rules: readonly CopyRule[] }>;
export type Composed = Readonly<{ is: 'built'; artifact: Artifact }> | Readonly<{ is: 'refused'; message: string }>;

export interface Compose {
  /**
   * Builds each output from artifacts of this tenant's own sources, by alias, and stores it under its content. No path that a tenant chose becomes a path outside of
   * a folder of this run. What does not fit (no file matches, no YAML, a hostile archive, too big) is answered as `refused`. Idempotent: the same content gives the same digest.
   * Throws AppError unavailable when an artifact is not in storage.
   */
  build(
    sources: readonly Readonly<{ alias: string; digest: string }>[],
    outputs: readonly ComposeOutput[],
    signal: AbortSignal,
  ): Promise<readonly Composed[]>;
}

type Written = Readonly<{ from: string; to: string; exclude?: readonly string[]; strategy?: CopyStrategy }>;

/** The rule as it is carried out, or what is wrong with it. Pure. */
export function readCopyRule({ from, to, exclude = [], strategy = 'Overwrite' }: Written): CopyRule | string {
  const slash = from.indexOf('/');
  if (!from.startsWith('@') || slash < 0) return `from '${from}' must be '@alias/pattern'`;
  const pattern = from.slice(slash + 1);
  if (pattern.startsWith('/') || pattern.split('/').includes('..')) return `from '${from}' must stay within the source`;
  const source = readFrom(pattern);
  if (typeof source === 'string') return `from '${from}' is no pattern: ${source}`;
  if (!to.startsWith('@artifact/')) return `to '${to}' must start with '@artifact/'`;
  const target = to.slice('@artifact/'.length);
  const names = target.replace(/\/+$/, '').split('/');
  if (target !== '' && names.some((name) => name === '' || name === '.' || name === '..'))
    return `to '${to}' must not hold '.', '..' or empty parts`;
  const excluded: { text: string; glob: Glob }[] = [];
  for (const text of exclude) {
    const glob = parseGlob(text);
    if (typeof glob === 'string') return `exclude '${text}' is no pattern: ${glob}`;
    excluded.push({ text, glob });
  }
  return {
    shown: `from '${from}' to '${to}'`,
    alias: from.slice(1, slash),
    from: source,
    to: target.replace(/\/+$/, ''),
    intoFolder: target === '' || target.endsWith('/'),
    exclude: excluded,
    strategy,
  };
}

function readFrom(pattern: string): CopyRule['from'] | string {
  if (!hasGlob(pattern)) return { is: 'path', path: plain(pattern) };
  const text = plain(pattern);
  const glob = parseGlob(text);
  return typeof glob === 'string' ? glob : { is: 'glob', text, glob };
}

/** Without `.` parts and doubled or closing slashes. */
function plain(path: string): string {
  return path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');
}
