import { readTar } from '#adapters/blob/read-tar.ts';
import { createCharts } from '#adapters/chart/charts.ts';
import { parseYaml } from '#adapters/kustomize/off-thread.ts';
import { artifactOwned } from '#adapters/postgres/artifacts.ts';
import type { Charts } from '#core/charts.ts';
import { AppError } from '#core/errors.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

/** Charts for one run. Stored content is read only when one of this tenant's own sources brought it (threats B2). The caller disposes. */
export function chartsFor({ db, artifacts, charts }: WorkerAdapters, scope: TenantScope): Charts & Readonly<{ dispose(): Promise<void> }> {
  const open = async (digest: string, signal: AbortSignal) => {
    if (!(await db.inTenant(scope, (tx) => artifactOwned(tx, digest))))
      throw new AppError('unavailable', 'the artifact is not there any more: the source has to be fetched again');
    return artifacts.open(digest, signal);
  };
  return createCharts({ ...charts, artifacts: { ...artifacts, open }, readTar, parseYaml });
}
