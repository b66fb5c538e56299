import { type ChartLogin, chartLogin, type NamedSecret } from '#core/chart-login.ts';
import type { ChartVersion } from '#core/charts.ts';
import { durationMs } from '#core/duration.ts';
import { AppError } from '#core/errors.ts';
import { at, textAt } from '#core/json.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { StoredObject } from '#core/store.ts';
import type { HelmChartSpec, HelmChartStatus } from './schema.ts';

export type HelmChartObj = Obj<'definition', typeof HelmChartSpec, typeof HelmChartStatus>;
export type HelmChartNeed = 'lookup' | 'secrets' | 'artifacts' | 'charts';

/** What was seen; no credential in it. */
export type Seen =
  | Readonly<{ at: 'unsupported'; message: string }>
  | Readonly<{ at: 'fetchFailed'; reason: 'SourceUnavailable' | 'NoSourceArtifact'; message: string }>
  /** This pass has tried to build; the status tells how it went. */
  | Readonly<{ at: 'built' }>
  /** The source has not moved and neither has the definition, and the artifact is there. */
  | Readonly<{ at: 'unchanged' }>
  | Readonly<{
      at: 'repository';
      digest: string;
      revision: string;
      versions: readonly ChartVersion[] /** Whether the artifact of the status is still in storage. */;
      isStored: boolean;
    }>
  | Readonly<{ at: 'source'; digest: string; revision: string; isStored: boolean }>;

/** Looks at the source and, for a repository, at the versions of the chart in its stored index. No request leaves the plane. */
export async function observe(ctx: Ctx<HelmChartNeed>, obj: HelmChartObj): Promise<Seen> {
  const { spec, definition, status } = obj;
  if (spec.verify !== undefined)
    return {
      at: 'unsupported',
      message:
        'spec.verify is not served by this release, and nothing unverified is delivered in its place: remove it, or wait for signature checks',
    };
  if (obj.done.includes('build')) return { at: 'built' };
  const source = await sourceOf(ctx, obj);
  const shown = `${spec.sourceRef.kind} '${definition.namespace}/${spec.sourceRef.name}'`;
  if (source === null) return { at: 'fetchFailed', reason: 'SourceUnavailable', message: `failed to get source: ${shown} not found` };
  if (textAt(source.body, 'spec', 'type') === 'oci')
    return {
      at: 'unsupported',
      message: `charts of a registry (${shown} has type oci) are not served by this release: use an HTTP repository, or a GitRepository`,
    };
  const [digest, revision] = [textAt(source.status ?? {}, 'artifact', 'digest'), textAt(source.status ?? {}, 'artifact', 'revision')];
  if (digest === undefined || revision === undefined)
    return { at: 'fetchFailed', reason: 'NoSourceArtifact', message: `no artifact available for ${shown}` };
  const isStored = status?.artifact !== undefined && (await ctx.artifacts.has(status.artifact.digest));
  if (isStored && status?.observedSourceArtifactRevision === revision && isSettled(obj)) return { at: 'unchanged' };
  if (spec.sourceRef.kind !== 'HelmRepository') return { at: 'source', digest, revision, isStored };
  try {
    const repositoryUrl = textAt(source.body, 'spec', 'url') ?? '';
    const versions = await ctx.charts.versionsOf({ digest, repositoryUrl }, spec.chart, ctx.signal);
    return { at: 'repository', digest, revision, versions, isStored };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'unavailable') throw error;
    return { at: 'fetchFailed', reason: 'NoSourceArtifact', message: `the index of ${shown} is not in storage; it is fetched again` };
  }
}

/** Whether this generation was built, and nothing failed since. */
function isSettled({ definition, status }: HelmChartObj): boolean {
  if (status?.observedGeneration !== definition.generation) return false;
  return !(status.conditions ?? []).some((one) => one.status === 'True' && ['FetchFailed', 'BuildFailed', 'Stalled'].includes(one.type));
}

export function sourceOf(ctx: Pick<Ctx<HelmChartNeed>, 'lookup'>, { definition, spec }: HelmChartObj): Promise<StoredObject | null> {
  return ctx.lookup.get({ kind: spec.sourceRef.kind, namespace: definition.namespace, name: spec.sourceRef.name });
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** The repository with the credential of its Secrets, read anew each time so that it is held nowhere. */
export async function logIn(ctx: Pick<Ctx<HelmChartNeed>, 'secrets'>, repository: StoredObject): Promise<ChartLogin> {
  const secrets: Record<'login' | 'tls', NamedSecret | null> = { login: null, tls: null };
  for (const [use, field] of [
    ['login', 'secretRef'],
    ['tls', 'certSecretRef'],
  ] as const) {
    const name = textAt(repository.body, 'spec', field, 'name');
    if (name === undefined) continue;
    const shown = `${repository.namespace}/${name}`;
    const values = await ctx.secrets.read(repository.namespace, name);
    if (values === null) return { is: 'failed', message: `failed to get secret '${shown}': it does not exist` };
    secrets[use] = { shown, values };
  }
  return chartLogin(
    {
      url: textAt(repository.body, 'spec', 'url') ?? '',
      passCredentials: at(repository.body, 'spec', 'passCredentials') === true,
      timeoutMs: durationMs(textAt(repository.body, 'spec', 'timeout'), DEFAULT_TIMEOUT_MS),
    },
    secrets,
  );
}
