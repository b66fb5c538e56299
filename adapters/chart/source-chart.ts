import { writeFile } from 'node:fs/promises';
import type { ChartBuild } from '#core/charts.ts';
import { AppError } from '#core/errors.ts';
import { refuse } from './build.ts';
import { type ChartFiles, MAX_CHART_BYTES, MAX_UNPACKED_BYTES, type ReadTar, readChartArchive, readEntry } from './chart-files.ts';
import { helmIgnore } from './helm-ignore.ts';

export type SourceChart = Readonly<{ files: ChartFiles; valuesFrom: ChartFiles; needsDependencies: boolean }>;

/** Limits of a source's artifact, unpacked. */
const MAX_SOURCE_BYTES = 384 * 1024 * 1024;
const MAX_SOURCE_ENTRIES = 60_000;

/** The chart at a path of a source's artifact, a folder or a packed chart, and the named values files of that source. Throws AppError badRequest, artifactTooLarge. */
export async function readSourceChart(
  { readTar, newFile }: Readonly<{ readTar: ReadTar; newFile(): Promise<string> }>,
  artifactPath: string,
  want: Readonly<{ chart: string; valuesFiles: readonly string[] }>,
  signal: AbortSignal,
): Promise<SourceChart | ChartBuild> {
  const root = cleanPath(want.chart);
  if (root === null) return refuse('InvalidChartReference', 'spec.chart is no path of a folder in the source');
  const wanted = new Set(want.valuesFiles.map((one) => one.replace(/^(?:\.\/)+/, '')));
  const files = new Map<string, Buffer>();
  const valuesFrom = new Map<string, Buffer>();
  let packed: Buffer | null = null;
  let total = 0;
  const below = root === '' ? '' : `${root}/`;
  const limits = { gzip: true, maxBytes: MAX_SOURCE_BYTES, maxEntries: MAX_SOURCE_ENTRIES, symbolicLinks: 'refuse', signal } as const;
  await readTar(artifactPath, limits, async ({ names, isFolder, sizeBytes, content }) => {
    const path = names.join('/');
    const isInside = path.startsWith(below) && path !== root;
    if (isFolder || (!isInside && !wanted.has(path) && path !== root)) return;
    total += sizeBytes;
    if (total > MAX_UNPACKED_BYTES)
      throw new AppError(
        'artifactTooLarge',
        `the chart has more than ${MAX_UNPACKED_BYTES} bytes: leave files out with .helmignore or name its folder`,
      );
    if (path === root) {
      if (sizeBytes > MAX_CHART_BYTES) throw new AppError('artifactTooLarge', `the packed chart has more than ${MAX_CHART_BYTES} bytes`);
      packed = await readAll(content);
      return;
    }
    const bytes = await readEntry(path, sizeBytes, content);
    if (isInside) files.set(path.slice(below.length), bytes);
    if (wanted.has(path)) valuesFrom.set(path, bytes);
  });
  if (packed !== null) {
    const file = await newFile();
    await writeFile(file, packed, { flag: 'wx', mode: 0o600 });
    return { files: await readChartArchive(file, readTar, signal), valuesFrom, needsDependencies: false };
  }
  if (!files.has('Chart.yaml')) return refuse('InvalidChartReference', 'the source has no chart at spec.chart: no Chart.yaml there');
  const isIgnored = helmIgnore(files.get('.helmignore')?.toString('utf8') ?? '');
  if (isIgnored === null) return refuse('ChartPackageError', '.helmignore has a pattern that helm refuses (** or an open bracket)');
  const kept = new Map([...files].filter(([path]) => path === 'Chart.yaml' || !isIgnored(path)));
  return { files: kept, valuesFrom, needsDependencies: true };
}

/** A path below the root as the entries of an artifact are written; '' for the root; null for one that climbs. Pure. */
export function cleanPath(path: string): string | null {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.includes('..') || path.includes('\0') ? null : names.join('/');
}

async function readAll(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
