import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { bucketKind } from '#kinds/bucket/index.ts';
import { gitRepositoryKind } from '#kinds/git-repository/index.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { helmRepositoryKind } from '#kinds/helm-repository/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  const kinds = [runnable(gitRepositoryKind), runnable(bucketKind), runnable(helmRepositoryKind), runnable(helmChartKind)];
  return await openWorker({ name: 'source', config, concurrency: config.sourceConcurrency, kinds });
});
