import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChartBuild, ChartOptions } from '#core/charts.ts';
import { isObject, type JsonObject } from '#core/json.ts';
import { mergeMaps } from '#core/merge-maps.ts';
import type { Artifacts } from '#core/ports.ts';
import { type ChartFiles, MAX_ENTRIES, MAX_FILE_BYTES, MAX_UNPACKED_BYTES } from './chart-files.ts';
import { cleanPath } from './clean-path.ts';
import { isRefused } from './dependencies.ts';
import { type ParseYaml, yamlOf } from './index-file.ts';
import { jsonFile, type Metadata, metadataOf, withVersionMetadata } from './metadata.ts';
import { type Refused, refuse } from './refusal.ts';

export type BuildParts = Readonly<{ artifacts: Pick<Artifacts, 'putFiles'>; parseYaml: ParseYaml; workDir: string }>;
export type BuildInput = Readonly<{
  files: ChartFiles;
  /** Where values files are looked up: the chart itself, or the whole source. */
  valuesFrom: ChartFiles;
  /** Reason for a chart whose Chart.yaml helm would not take. */
  badChart: 'ChartPullError' | 'InvalidChartReference';
  /** The chart with its dependencies, for one that nobody packed yet; null for one that is complete. */
  complete: ((files: ChartFiles) => Promise<ChartFiles | Refused>) | null;
  options: ChartOptions;
}>;

const MAX_METADATA_BYTES = 1_048_576;
/** The folder of every stored chart: helm takes any name, and the chart's own never becomes a path. */
const ROOT = 'chart';

/** Checks a chart, gives it the values and version that were asked for, and stores it. The same input gives the same digest. Throws AppError of the artifact store. */
export async function buildChart(parts: BuildParts, input: BuildInput, signal: AbortSignal): Promise<ChartBuild> {
  const metadata = await readMetadata(parts, input.files, signal);
  if (typeof metadata === 'string') return refuse(input.badChart, metadata);
  const merged = await mergedValues(parts, input, signal);
  if ('problem' in merged) return refuse('ValuesFilesError', merged.problem);
  const complete = input.complete === null ? input.files : await input.complete(input.files);
  if (isRefused(complete)) return complete;
  const files = new Map(complete);
  // As upstream: they stand in place of values.yaml, also when all of them are missing.
  if (input.options.valuesFiles.length > 0) files.set('values.yaml', jsonFile(merged.values));
  let version = metadata.version;
  if (input.options.versionMetadata !== null) {
    const patched = withVersionMetadata(metadata, input.options.versionMetadata);
    if (patched === null) return refuse('MetadataPatchError', `the version ${version} of the chart cannot take build metadata`);
    files.set('Chart.yaml', patched.bytes);
    version = patched.version;
  }
  const artifact = await store(parts, files, signal);
  return { is: 'built', artifact, name: metadata.name, version, valuesFiles: merged.used };
}

/** What Chart.yaml says, or what is wrong with it. */
export async function readMetadata({ parseYaml }: BuildParts, files: ChartFiles, signal: AbortSignal): Promise<Metadata | string> {
  const bytes = files.get('Chart.yaml');
  if (bytes === undefined) return 'there is no Chart.yaml: is this the folder of a chart?';
  const read = await yamlOf(bytes.toString('utf8'), MAX_METADATA_BYTES, parseYaml, signal);
  return typeof read === 'string' ? `Chart.yaml: ${read}` : metadataOf(read.documents[0]);
}

type Merged = Readonly<{ values: JsonObject; used: readonly string[] }> | Readonly<{ problem: string }>;

async function mergedValues({ parseYaml }: BuildParts, { valuesFrom, options }: BuildInput, signal: AbortSignal): Promise<Merged> {
  let values: JsonObject = {};
  const used: string[] = [];
  for (const [index, named] of options.valuesFiles.entries()) {
    const bytes = valuesFrom.get(cleanPath(named) ?? '');
    if (bytes === undefined) {
      if (options.ignoreMissingValuesFiles) continue;
      // A path that leaves the source is answered as one that is not there.
      return {
        problem: `no values file at spec.valuesFiles[${index}], ${JSON.stringify(named.slice(0, 200))}: correct it, or set spec.ignoreMissingValuesFiles`,
      };
    }
    const read = await yamlOf(bytes.toString('utf8'), MAX_FILE_BYTES, parseYaml, signal);
    if (typeof read === 'string') return { problem: `spec.valuesFiles[${index}]: ${read}` };
    const document = read.documents[0] ?? null;
    if (document !== null && !isObject(document)) return { problem: `spec.valuesFiles[${index}]: it is no map` };
    values = mergeMaps(values, document ?? {});
    used.push(named);
  }
  return { values, used };
}

async function store({ artifacts, workDir }: BuildParts, files: ChartFiles, signal: AbortSignal) {
  const folder = join(workDir, randomUUID());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const staged: { path: string; file: string }[] = [];
    for (const [path, bytes] of files) {
      const file = join(folder, String(staged.length));
      await writeFile(file, bytes, { flag: 'wx', mode: 0o600, signal });
      staged.push({ path: `${ROOT}/${path}`, file });
    }
    return await artifacts.putFiles({ files: staged, maxBytes: MAX_UNPACKED_BYTES, maxEntries: MAX_ENTRIES }, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
