import { writeFile } from 'node:fs/promises';
import { AppError } from '#core/errors.ts';
import { type ChartFiles, MAX_CHART_BYTES, MAX_UNPACKED_BYTES, type ReadTar, readChartArchive, readEntry } from './chart-files.ts';
import { cleanPath } from './clean-path.ts';
import { helmIgnore } from './helm-ignore.ts';
import { type Refused, refuse } from './refusal.ts';

export type SourceChart = Readonly<{ files: ChartFiles; valuesFrom: ChartFiles; needsDependencies: boolean }>;

/** A source's artifact, and what may still be read of it: charts of one build share the limit. */
export type SourceArchive = {
  readonly path: string;
  readonly readTar: ReadTar;
  newFile(): Promise<string>;
  bytesLeft: number;
  /** How many more folders may be looked for in it. */
  looksLeft: number;
};

/** Limits of a source's artifact, unpacked. */
const MAX_SOURCE_BYTES = 384 * 1024 * 1024;
const MAX_SOURCE_ENTRIES = 60_000;
/** Each look reads the artifact once. */
export const MAX_LOOKS = 64;

export function sourceArchive(path: string, readTar: ReadTar, newFile: () => Promise<string>): SourceArchive {
  return { path, readTar, newFile, bytesLeft: MAX_UNPACKED_BYTES, looksLeft: MAX_LOOKS };
}

/** The chart at a path of a source's artifact, a folder or a packed chart, and the named values files of that source. Throws AppError badRequest, artifactTooLarge. */
export async function readSourceChart(
  archive: SourceArchive,
  want: Readonly<{ chart: string; valuesFiles: readonly string[] }>,
  signal: AbortSignal,
): Promise<SourceChart | Refused> {
  const root = cleanPath(want.chart);
  if (root === null) return refuse('InvalidChartReference', 'spec.chart is no path of a folder in the source');
  const wanted = new Set(want.valuesFiles.flatMap((one) => cleanPath(one) ?? []));
  const { tree, packed, named } = await readPath(archive, root, wanted, signal);
  if (packed !== null) {
    const file = await archive.newFile();
    await writeFile(file, packed, { flag: 'wx', mode: 0o600 });
    return { files: await readChartArchive(file, archive.readTar, signal), valuesFrom: named, needsDependencies: false };
  }
  if (!tree.has('Chart.yaml')) return refuse('InvalidChartReference', 'the source has no chart at spec.chart: no Chart.yaml there');
  const kept = withoutIgnored(tree);
  if (kept === null) return refuse('ChartPackageError', '.helmignore has a pattern that helm refuses (** or an open bracket)');
  return { files: kept, valuesFrom: named, needsDependencies: true };
}

/** The files of a folder that .helmignore leaves in; null for one that helm refuses. Pure. */
export function withoutIgnored(tree: ChartFiles): ChartFiles | null {
  const isIgnored = helmIgnore(tree.get('.helmignore')?.toString('utf8') ?? '');
  return isIgnored === null ? null : new Map([...tree].filter(([path]) => path === 'Chart.yaml' || !isIgnored(path)));
}

type Found = Readonly<{ tree: ChartFiles; packed: Buffer | null; named: ChartFiles }>;

/** Everything below a folder, or the one file of that path, and files of these names. Throws AppError artifactTooLarge. */
export async function readPath(archive: SourceArchive, root: string, wanted: ReadonlySet<string>, signal: AbortSignal): Promise<Found> {
  const tree = new Map<string, Buffer>();
  const named = new Map<string, Buffer>();
  const found: { packed: Buffer | null } = { packed: null };
  const below = root === '' ? '' : `${root}/`;
  archive.looksLeft -= 1;
  const limits = { gzip: true, maxBytes: MAX_SOURCE_BYTES, maxEntries: MAX_SOURCE_ENTRIES, symbolicLinks: 'refuse', signal } as const;
  await archive.readTar(archive.path, limits, async ({ names, isFolder, sizeBytes, content }) => {
    const path = names.join('/');
    const isInside = path.startsWith(below) && path !== root;
    if (isFolder || (!isInside && !wanted.has(path) && path !== root)) return;
    take(archive, sizeBytes);
    if (path === root) {
      if (sizeBytes > MAX_CHART_BYTES) throw new AppError('artifactTooLarge', `the packed chart has more than ${MAX_CHART_BYTES} bytes`);
      found.packed = await readAll(content);
      return;
    }
    const bytes = await readEntry(path, sizeBytes, content);
    if (isInside) tree.set(path.slice(below.length), bytes);
    if (wanted.has(path)) named.set(path, bytes);
  });
  return { tree, packed: found.packed, named };
}

/** Throws AppError artifactTooLarge. */
export function take(archive: SourceArchive, bytes: number): void {
  archive.bytesLeft -= bytes;
  if (archive.bytesLeft < 0)
    throw new AppError(
      'artifactTooLarge',
      `the chart and its dependencies have more than ${MAX_UNPACKED_BYTES} bytes: leave files out, or name the folder of one chart in spec.chart`,
    );
}

async function readAll(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
