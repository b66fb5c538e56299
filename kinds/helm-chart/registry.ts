import type { ChartBuild, ChartOptions, ChartRefusal, ChartVersion } from '#core/charts.ts';
import type { Ctx } from '#core/kind.ts';
import type { RegistryRemote } from '#core/registry.ts';
import { parseVersion } from '#core/semver/version.ts';
import type { HelmChartNeed } from './observe.ts';
import type { CheckDigest } from './verify.ts';

const MAX_CHART_BYTES = 10 * 1024 * 1024;
/** Helm's layer of a chart, and the one of its first releases. */
const CHART_LAYERS: readonly string[] = Object.freeze(['application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'application/tar+gzip']);

type RegistryCtx = Pick<Ctx<HelmChartNeed>, 'registry' | 'charts' | 'signal'>;
export type Repository = Readonly<{ remote: RegistryRemote; timeoutMs: number }>;

/**
 * Versions of a chart in a registry: a version that is written out is taken as it is, so that no list of tags is asked for; of a list each tag that is a version,
 * in which `_` stands for `+`, since tags cannot hold that.
 */
export async function versionsIn(ctx: RegistryCtx, { remote, timeoutMs }: Repository, wanted: string): Promise<readonly ChartVersion[]> {
  if (isExact(wanted)) return [versionOf(wanted)];
  const versions: ChartVersion[] = [];
  const onTag = (tag: string): void => {
    const version = tag.replaceAll('_', '+');
    if (parseVersion(version) !== null) versions.push(versionOf(version));
  };
  await ctx.registry.tags(remote, onTag, { timeoutMs }, ctx.signal);
  return versions;
}

/** Three numbers and what may follow: anything shorter is a range. */
export function isExact(wanted: string): boolean {
  return /^v?[0-9]+\.[0-9]+\.[0-9]+(?:[-+][0-9A-Za-z.+-]+)?$/.test(wanted) && parseVersion(wanted) !== null;
}

/** The chart layer of a version, whose tag is resolved once to the digest that is checked and fetched (threats J5). The caller disposes. Throws AppErrors of the registry port. */
export async function fetchChart(
  ctx: RegistryCtx,
  { remote, timeoutMs }: Repository,
  version: string,
  check: CheckDigest,
): Promise<Readonly<{ is: 'file'; path: string; dispose(): Promise<void> }> | ChartRefusal> {
  const limits = { timeoutMs };
  const digest = await ctx.registry.resolve(remote, version.replaceAll('+', '_'), limits, ctx.signal);
  const unproven = await check(digest);
  if (unproven !== null) return unproven;
  const { layers } = await ctx.registry.manifest(remote, digest, limits, ctx.signal);
  const layer = layers.find(({ mediaType }) => CHART_LAYERS.includes(mediaType));
  if (layer === undefined)
    return {
      is: 'refused',
      reason: 'ChartPullError',
      message: `version ${version} in the registry is no helm chart: it has no chart layer`,
    };
  return { is: 'file', ...(await ctx.registry.fetch(remote, layer, { maxBytes: MAX_CHART_BYTES }, limits, ctx.signal)) };
}

/** Fetches a version and stores it. Throws AppErrors of the registry port. */
export async function fromRegistry(
  ctx: RegistryCtx,
  place: Repository,
  { version, check }: Readonly<{ version: string; check: CheckDigest }>,
  options: ChartOptions,
): Promise<ChartBuild> {
  const fetched = await fetchChart(ctx, place, version, check);
  if (fetched.is === 'refused') return fetched;
  try {
    return await ctx.charts.fromFile(fetched.path, options, ctx.signal);
  } finally {
    await fetched.dispose();
  }
}

function versionOf(version: string): ChartVersion {
  return { version, url: '', digest: '', createdAtMs: 0 };
}
