import { AppError } from '#core/errors.ts';

/** Files of a chart by their path below its root. */
export type ChartFiles = ReadonlyMap<string, Buffer>;

/** The reader of adapters/blob, the one extraction routine (threats D2), passed in. */
export type ReadTar = (
  file: string,
  options: Readonly<{ gzip: boolean; maxBytes: number; maxEntries: number; symbolicLinks: 'skip' | 'refuse'; signal: AbortSignal }>,
  onEntry: (
    entry: Readonly<{ names: readonly string[]; isFolder: boolean; sizeBytes: number; content: AsyncIterable<Buffer> }>,
  ) => Promise<void>,
) => Promise<void>;

/** Limits of helm and Flux: a packed chart, one file in it, all of it unpacked. */
export const MAX_CHART_BYTES = 10 * 1024 * 1024;
export const MAX_FILE_BYTES = 5 * 1024 * 1024;
export const MAX_UNPACKED_BYTES = 100 * 1024 * 1024;
export const MAX_ENTRIES = 10_000;

/**
 * The files of a packed chart. All must lie in one folder, whose name means nothing. Throws AppError badRequest (links, climbing or double paths, files
 * outside of the folder) and artifactTooLarge, both as soon as the entry comes.
 */
export async function readChartArchive(file: string, readTar: ReadTar, signal: AbortSignal): Promise<ChartFiles> {
  const files = new Map<string, Buffer>();
  let root: string | null = null;
  const limits = { gzip: true, maxBytes: MAX_UNPACKED_BYTES, maxEntries: MAX_ENTRIES, symbolicLinks: 'refuse', signal } as const;
  await readTar(file, limits, async ({ names, isFolder, sizeBytes, content }) => {
    const [folder = '', ...below] = names;
    root ??= folder;
    if (folder !== root) throw new AppError('badRequest', 'the chart has content outside of its one folder');
    if (isFolder) return;
    if (below.length === 0) throw new AppError('badRequest', 'the chart has a file beside its folder');
    files.set(below.join('/'), await readEntry(below.join('/'), sizeBytes, content));
  });
  return files;
}

/** Bytes of one entry. Throws AppError artifactTooLarge. */
export async function readEntry(path: string, sizeBytes: number, content: AsyncIterable<Buffer>): Promise<Buffer> {
  if (sizeBytes > MAX_FILE_BYTES)
    throw new AppError(
      'artifactTooLarge',
      `${path.slice(0, 200)} has ${sizeBytes} bytes, the limit for a file of a chart is ${MAX_FILE_BYTES}`,
    );
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
