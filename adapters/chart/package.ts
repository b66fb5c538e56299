import { AppError } from '#core/errors.ts';
import type { ChartFacts } from '#core/helm.ts';
import { type BuildParts, buildChart, readMetadata } from './build.ts';
import { type ChartFiles, type ReadTar, readChartArchive } from './chart-files.ts';

export type PackageParts = BuildParts & Readonly<{ readTar: ReadTar }>;

/**
 * Name and version of a packed chart in storage. With `versionMetadata` a chart with that build metadata in its version is stored beside it, and its facts come back;
 * idempotent. Throws AppError buildFailed when it is no chart, invalid when its version cannot take the metadata.
 */
export async function packageFacts(
  parts: PackageParts,
  packed: Readonly<{ digest: string; path: string }>,
  versionMetadata: string | null,
  signal: AbortSignal,
): Promise<ChartFacts> {
  const files = await readChartArchive(packed.path, parts.readTar, signal).catch((error: unknown) => {
    if (error instanceof AppError && (error.code === 'badRequest' || error.code === 'artifactTooLarge')) throw noChart(error.message);
    throw error;
  });
  const metadata = await readMetadata(parts, files, signal);
  if (typeof metadata === 'string') throw noChart(metadata);
  const appVersion = metadata.document['appVersion'];
  const facts = {
    name: metadata.name,
    appVersion: typeof appVersion === 'string' || typeof appVersion === 'number' ? String(appVersion) : null,
    hasCrds: mayHaveCrds(files),
  };
  if (versionMetadata === null) return { ...facts, digest: packed.digest, version: metadata.version };
  const options = { valuesFiles: [], ignoreMissingValuesFiles: false, versionMetadata };
  const built = await buildChart(parts, { files, valuesFrom: files, badChart: 'ChartPullError', complete: null, options }, signal);
  if (built.is === 'refused') throw new AppError('invalid', built.message);
  return { ...facts, digest: built.artifact.digest, version: built.version };
}

/** A packed subchart may bring some; whether it does is for helm to say. */
function mayHaveCrds(files: ChartFiles): boolean {
  return [...files.keys()].some((path) => /(?:^|\/)crds\//.test(path) || /(?:^|\/)charts\/[^/]+\.tgz$/.test(path));
}

function noChart(why: string): AppError {
  return new AppError('buildFailed', `the artifact is no Helm chart: ${why}`);
}
