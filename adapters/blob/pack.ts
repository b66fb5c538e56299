import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { AppError } from '#core/errors.ts';
import { createIgnoreFilter, type IgnoreRule, parseIgnoreRules } from '#core/ignore-rules.ts';
import type { Staged } from './stage.ts';
import { tarBytes } from './write-tar.ts';

/** The entries that the rules leave, in the order of their path's bytes: .sourceignore files from the root down, in the order of their folders, then spec.ignore. */
export function filtered({ entries, ignoreFiles }: Staged, ignore: string | null): Staged['entries'] {
  const rules: IgnoreRule[] = ignoreFiles.flatMap(({ folder, text }) => [...parseIgnoreRules(text, folder)]);
  if (ignore !== null) rules.push(...parseIgnoreRules(ignore, []));
  const isIgnored = createIgnoreFilter(rules);
  return inByteOrder(entries.filter((entry) => !isIgnored(entry.path.split('/'), entry.isFolder)));
}

/** The order in which artifacts are packed. */
export function inByteOrder(entries: Staged['entries']): Staged['entries'] {
  return entries.toSorted((left, right) => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)));
}

/** The entries, or AppError artifactTooLarge that says which limit they are over. */
export function withinLimits(
  entries: Staged['entries'],
  { maxBytes, maxEntries }: Readonly<{ maxBytes: number; maxEntries: number }>,
): Staged['entries'] {
  if (entries.length > maxEntries)
    throw new AppError(
      'artifactTooLarge',
      `the source has ${entries.length} files and folders, more than ${maxEntries}: leave some out with spec.ignore or .sourceignore`,
    );
  const bytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  if (bytes > maxBytes)
    throw new AppError(
      'artifactTooLarge',
      `the source has ${bytes} bytes, more than ${maxBytes}: leave some out with spec.ignore or .sourceignore`,
    );
  return entries;
}

/** Writes the gzip tarball and answers its digest: the same entries give the same one. */
export async function writeTarball(path: string, entries: Staged['entries'], signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    tarBytes(entries),
    createGzip({ level: 6 }),
    async function* digesting(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
    { signal },
  );
  return `sha256:${hash.digest('hex')}`;
}
