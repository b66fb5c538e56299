import { writeFile } from 'node:fs/promises';
import type { BringDependency, ChartDependency } from '#core/charts.ts';
import { isObject, type Json, textAt } from '#core/json.ts';
import { isInRange, parseRange } from '#core/semver/range.ts';
import { parseVersion } from '#core/semver/version.ts';
import { type ChartFiles, readChartArchive } from './chart-files.ts';
import { cleanPath } from './clean-path.ts';
import { metadataOf } from './metadata.ts';
import { type Refused, refuse } from './refusal.ts';
import { MAX_LOOKS, readPath, type SourceArchive, take, withoutIgnored } from './source-chart.ts';

/** The first document of a YAML file; undefined for one that cannot be read. */
export type ReadDocument = (bytes: Buffer) => Promise<Json | undefined>;
type Source = Readonly<{ archive: SourceArchive; read: ReadDocument; bring: BringDependency }>;
type Chart = Readonly<{ files: ChartFiles; root: string; depth: number }>;

const LOCAL = 'file://';
const REMOTE = /^(?:https?|oci):\/\/./;
const MAX_DEPTH = 8;
const MAX_LOOKED_AT = 200;

/**
 * The chart with the dependencies that it lacks, as `helm dependency build` puts them into charts/: those of its own source (`file://`) with theirs, and those that `bring` fetches.
 * No helm runs in a tenant's tree (threats B4). Refused: one that lies nowhere, leaves the source, or has another name or version than was asked for.
 */
export async function withDependencies(source: Source, chart: Chart, signal: AbortSignal): Promise<ChartFiles | Refused> {
  const missing = await missingIn(source, chart.files, signal);
  const nowhere = missing.filter(({ repository }) => !repository.startsWith(LOCAL) && !REMOTE.test(repository));
  if (nowhere.length > 0) {
    const names = nowhere.slice(0, 5).map(({ name }) => name.slice(0, 100));
    return refuse(
      'DependencyBuildError',
      `the chart lacks ${names.join(', ')} in charts/ and names no address of it: run \`helm dependency build\`, and commit what it puts there`,
    );
  }
  if (missing.length > 0 && chart.depth >= MAX_DEPTH)
    return refuse('DependencyBuildError', `dependencies are nested deeper than ${MAX_DEPTH}: do they need each other?`);
  const files = new Map(chart.files);
  for (const dependency of missing) {
    if (source.archive.looksLeft <= 0) return refusedFor(dependency, `it is beyond the ${MAX_LOOKS} that are looked for`);
    const added = dependency.repository.startsWith(LOCAL)
      ? await localChart(source, dependency, chart, signal)
      : await remoteChart(source, dependency, signal);
    if (isRefused(added)) return added;
    for (const [path, bytes] of added) files.set(`charts/${dependency.name}/${path}`, bytes);
  }
  return files;
}

export function isRefused(answer: ChartFiles | Refused): answer is Refused {
  return 'is' in answer;
}

async function localChart(source: Source, dependency: ChartDependency, parent: Chart, signal: AbortSignal): Promise<ChartFiles | Refused> {
  const { archive } = source;
  const root = cleanPath(`${parent.root}/${dependency.repository.slice(LOCAL.length)}`);
  if (root === null) return refusedFor(dependency, 'its file:// path leaves the source');
  const { tree, packed } = await readPath(archive, root, new Set(), signal);
  const files = packed === null ? withoutIgnored(tree) : await unpacked(archive, packed, signal);
  if (files === null) return refusedFor(dependency, 'its .helmignore has a pattern that helm refuses (** or an open bracket)');
  const wrong = await mismatch(source, dependency, files);
  if (wrong !== null) return refusedFor(dependency, `at its file:// path ${wrong}`);
  return packed === null ? withDependencies(source, { files, root, depth: parent.depth + 1 }, signal) : files;
}

/** What comes from outside was packed there, with what it needs. */
async function remoteChart(source: Source, dependency: ChartDependency, signal: AbortSignal): Promise<ChartFiles | Refused> {
  source.archive.looksLeft -= 1;
  const brought = await source.bring(dependency);
  if (brought.is === 'refused') return brought;
  const files = await readPacked(source.archive, brought.file, signal);
  const wrong = await mismatch(source, dependency, files);
  return wrong === null ? files : refusedFor(dependency, `in its repository ${wrong}`);
}

/** How a chart is another one than was asked for; null when it is the right one. */
async function mismatch({ read }: Source, { name, version }: ChartDependency, files: ChartFiles): Promise<string | null> {
  const chartYaml = files.get('Chart.yaml');
  if (chartYaml === undefined) return 'there is no chart';
  const metadata = metadataOf(await read(chartYaml));
  if (typeof metadata === 'string') return metadata;
  if (metadata.name !== name) return 'the chart has another name';
  const range = parseRange(version === '' ? '*' : version);
  const parsed = parseVersion(metadata.version);
  const isMeant = metadata.version === version || (range !== null && parsed !== null && isInRange(range, parsed));
  return isMeant ? null : `the chart has version ${metadata.version}, which is not what Chart.yaml or Chart.lock asks for`;
}

function refusedFor({ name }: ChartDependency, why: string): Refused {
  return refuse('DependencyBuildError', `dependency ${name.slice(0, 100)}: ${why}`);
}

async function unpacked(archive: SourceArchive, packed: Buffer, signal: AbortSignal): Promise<ChartFiles> {
  const file = await archive.newFile();
  await writeFile(file, packed, { flag: 'wx', mode: 0o600 });
  return readPacked(archive, file, signal);
}

async function readPacked(archive: SourceArchive, file: string, signal: AbortSignal): Promise<ChartFiles> {
  const files = await readChartArchive(file, archive.readTar, signal);
  take(
    archive,
    [...files.values()].reduce((total, { byteLength }) => total + byteLength, 0),
  );
  return files;
}

/** What Chart.yaml (of apiVersion v1: requirements.yaml) asks for and charts/ does not hold. A lock file says the version. */
async function missingIn(source: Source, files: ChartFiles, signal: AbortSignal): Promise<readonly ChartDependency[]> {
  const asked = new Map<string, ChartDependency>();
  for (const file of ['Chart.yaml', 'requirements.yaml', 'requirements.lock', 'Chart.lock']) {
    const bytes = files.get(file);
    for (const one of bytes === undefined ? [] : dependenciesIn(await source.read(bytes)))
      if (!file.endsWith('.lock') || asked.has(one.name)) asked.set(one.name, one);
  }
  let missing = [...asked.values()].filter(({ name }) => !isNamedAfter(name, files));
  if (missing.length === 0) return [];
  // Helm looks at what a chart calls itself, not at the name of its file.
  const names = await namesOfCharts(source, files, signal);
  missing = missing.filter(({ name }) => !names.has(name));
  return missing;
}

function dependenciesIn(document: Json | undefined): readonly ChartDependency[] {
  const list: Json | undefined = isObject(document) ? document['dependencies'] : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: Json) => {
    const name = textAt(one, 'name') ?? '';
    return name === '' ? [] : [{ name, version: textAt(one, 'version') ?? '', repository: textAt(one, 'repository') ?? '' }];
  });
}

/** In a folder of its name, or packed as helm packs it. */
function isNamedAfter(name: string, files: ChartFiles): boolean {
  if (files.has(`charts/${name}/Chart.yaml`)) return true;
  const start = `charts/${name}-`;
  return [...files.keys()].some(
    (path) => path.startsWith(start) && path.endsWith('.tgz') && parseVersion(path.slice(start.length, -'.tgz'.length)) !== null,
  );
}

async function namesOfCharts({ archive, read }: Source, files: ChartFiles, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  let looked = 0;
  for (const [path, bytes] of files) {
    const isFolder = /^charts\/[^/]+\/Chart\.yaml$/.test(path);
    if (!isFolder && !/^charts\/[^/]+\.tgz$/.test(path)) continue;
    looked += 1;
    if (looked > MAX_LOOKED_AT) break;
    const chartYaml = isFolder ? bytes : (await unpacked(archive, bytes, signal)).get('Chart.yaml');
    const metadata = chartYaml === undefined ? '' : metadataOf(await read(chartYaml));
    if (typeof metadata !== 'string') names.add(metadata.name);
  }
  return names;
}
