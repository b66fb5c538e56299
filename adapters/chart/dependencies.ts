import { writeFile } from 'node:fs/promises';
import { isObject, type Json, textAt } from '#core/json.ts';
import { isInRange, parseRange } from '#core/semver/range.ts';
import { parseVersion } from '#core/semver/version.ts';
import { type ChartFiles, readChartArchive } from './chart-files.ts';
import { cleanPath } from './clean-path.ts';
import { metadataOf } from './metadata.ts';
import { type Refused, refuse } from './refusal.ts';
import { MAX_LOOKS, readPath, type SourceArchive, take, withoutIgnored } from './source-chart.ts';

export type Dependency = Readonly<{ name: string; version: string; repository: string }>;
/** The first document of a YAML file; undefined for one that cannot be read. */
export type ReadDocument = (bytes: Buffer) => Promise<Json | undefined>;

const LOCAL = 'file://';
const MAX_DEPTH = 8;
const MAX_LOOKED_AT = 200;

/**
 * The chart with those dependencies that its own source holds (`file://`), as `helm dependency build` puts them into charts/, and with theirs. Nothing is ever fetched, and no
 * helm runs in a tenant's tree (threats B4). Refused: one that lies nowhere, leaves the source, or has another name or version than was asked for.
 */
export async function withDependencies(
  source: Readonly<{ archive: SourceArchive; read: ReadDocument }>,
  chart: Readonly<{ files: ChartFiles; root: string; depth: number }>,
  signal: AbortSignal,
): Promise<ChartFiles | Refused> {
  const missing = await missingIn(source, chart.files, signal);
  const elsewhere = missing.filter(({ repository }) => !repository.startsWith(LOCAL)).map(({ name }) => name.slice(0, 100));
  if (elsewhere.length > 0)
    return refuse(
      'DependencyBuildError',
      `the chart lacks ${elsewhere.slice(0, 5).join(', ')} in charts/: run \`helm dependency build\`, and commit what it puts there`,
    );
  if (missing.length > 0 && chart.depth >= MAX_DEPTH)
    return refuse('DependencyBuildError', `dependencies are nested deeper than ${MAX_DEPTH}: do they need each other?`);
  const files = new Map(chart.files);
  for (const dependency of missing) {
    const added = await localChart(source, dependency, chart, signal);
    if (isRefused(added)) return added;
    for (const [path, bytes] of added) files.set(`charts/${dependency.name}/${path}`, bytes);
  }
  return files;
}

export function isRefused(answer: ChartFiles | Refused): answer is Refused {
  return 'is' in answer;
}

async function localChart(
  { archive, read }: Readonly<{ archive: SourceArchive; read: ReadDocument }>,
  { name, version, repository }: Dependency,
  { root, depth }: Readonly<{ root: string; depth: number }>,
  signal: AbortSignal,
): Promise<ChartFiles | Refused> {
  const refused = (why: string): Refused => refuse('DependencyBuildError', `dependency ${name.slice(0, 100)}: ${why}`);
  const path = cleanPath(`${root}/${repository.slice(LOCAL.length)}`);
  if (path === null) return refused('its file:// path leaves the source');
  if (archive.looksLeft <= 0) return refused(`it is beyond the ${MAX_LOOKS} file:// dependencies that are looked for`);
  const { tree, packed } = await readPath(archive, path, new Set(), signal);
  const files = packed === null ? withoutIgnored(tree) : await unpacked(archive, packed, signal);
  if (files === null) return refused('its .helmignore has a pattern that helm refuses (** or an open bracket)');
  const chartYaml = files.get('Chart.yaml');
  if (chartYaml === undefined) return refused('there is no chart at its file:// path');
  const metadata = metadataOf(await read(chartYaml));
  if (typeof metadata === 'string') return refused(metadata);
  if (metadata.name !== name) return refused('the chart at its file:// path has another name');
  const range = parseRange(version === '' ? '*' : version);
  const parsed = parseVersion(metadata.version);
  if (range === null || parsed === null || !isInRange(range, parsed))
    return refused(`the chart at its file:// path has version ${metadata.version}, which is not what Chart.yaml or Chart.lock asks for`);
  return packed === null ? withDependencies({ archive, read }, { files, root: path, depth: depth + 1 }, signal) : files;
}

async function unpacked(archive: SourceArchive, packed: Buffer, signal: AbortSignal): Promise<ChartFiles> {
  const file = await archive.newFile();
  await writeFile(file, packed, { flag: 'wx', mode: 0o600 });
  const files = await readChartArchive(file, archive.readTar, signal);
  take(
    archive,
    [...files.values()].reduce((total, { byteLength }) => total + byteLength, 0),
  );
  return files;
}

/** What Chart.yaml (of apiVersion v1: requirements.yaml) asks for and charts/ does not hold. A lock file says the version. */
async function missingIn(
  { archive, read }: Readonly<{ archive: SourceArchive; read: ReadDocument }>,
  files: ChartFiles,
  signal: AbortSignal,
): Promise<readonly Dependency[]> {
  const asked = new Map<string, Dependency>();
  for (const file of ['Chart.yaml', 'requirements.yaml', 'requirements.lock', 'Chart.lock']) {
    const bytes = files.get(file);
    for (const one of bytes === undefined ? [] : dependenciesIn(await read(bytes)))
      if (!file.endsWith('.lock') || asked.has(one.name)) asked.set(one.name, one);
  }
  let missing = [...asked.values()].filter(({ name }) => !isNamedAfter(name, files));
  if (missing.length === 0) return [];
  // Helm looks at what a chart calls itself, not at the name of its file.
  const names = await namesOfCharts({ archive, read }, files, signal);
  missing = missing.filter(({ name }) => !names.has(name));
  return missing;
}

function dependenciesIn(document: Json | undefined): readonly Dependency[] {
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

async function namesOfCharts(
  { archive, read }: Readonly<{ archive: SourceArchive; read: ReadDocument }>,
  files: ChartFiles,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
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
