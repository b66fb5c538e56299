import type { ChartVersion } from '#core/charts.ts';
import { isInRange, parseRange } from '#core/semver/range.ts';
import { compareVersions, parseStrictVersion, parseVersion, type Version } from '#core/semver/version.ts';

export type Target =
  | Readonly<{ is: 'target'; version: ChartVersion }>
  | Readonly<{ is: 'missing'; message: string /** spec.version is no range at all. */; badRange: boolean }>;

/**
 * The version of a chart that `spec.version` means (source-controller internal/helm/repository/chart_repository.go): a text that stands in the index is taken as it is, else
 * the highest version in the range; of equal ones the younger. Pure.
 */
export function findVersion(chart: string, wanted: string | undefined, versions: readonly ChartVersion[]): Target {
  const asked = wanted === undefined || wanted === '' ? '*' : wanted;
  const quoted = `chart ${JSON.stringify(chart.slice(0, 200))}`;
  const exact = parseVersion(asked) === null ? undefined : versions.find((one) => one.version === asked);
  if (exact !== undefined) return { is: 'target', version: exact };
  const range = parseRange(asked);
  if (range === null)
    return { is: 'missing', badRange: true, message: `spec.version is no range of versions: ${JSON.stringify(asked.slice(0, 100))}` };
  if (versions.length === 0) return missing(`the repository has no ${quoted}: correct spec.chart`);
  let best: Readonly<{ parsed: Version; version: ChartVersion }> | null = null;
  for (const version of versions) {
    const parsed = parseStrictVersion(version.version);
    if (parsed === null || !isInRange(range, parsed)) continue;
    const order = best === null ? 1 : compareVersions(parsed, best.parsed) || version.createdAtMs - best.version.createdAtMs;
    if (order > 0) best = { parsed, version };
  }
  return best === null
    ? missing(`no version of ${quoted} matches ${JSON.stringify(asked.slice(0, 100))}: correct spec.version`)
    : { is: 'target', version: best.version };
}

function missing(message: string): Target {
  return { is: 'missing', message, badRange: false };
}

/** Build metadata of the version (definitions.md 1.7): the first 12 characters of the source's digest with strategy Revision, the generation with values files. Null for none. Pure. */
export function versionMetadata(
  spec: Readonly<{ strategy: 'ChartVersion' | 'Revision'; hasValuesFiles: boolean; isRepository: boolean }>,
  sourceRevision: string,
  generation: number,
): string | null {
  const parts: string[] = [];
  if (spec.strategy === 'Revision' && !spec.isRepository) parts.push((sourceRevision.split(':').at(-1) ?? '').slice(0, 12));
  if (spec.hasValuesFiles) parts.push(String(generation));
  return parts.length === 0 ? null : parts.join('.');
}
