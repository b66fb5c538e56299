import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { gitRepositoryKind } from '#kinds/git-repository/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  const kinds = [runnable(gitRepositoryKind)];
  return await openWorker({ name: 'source', config, concurrency: config.sourceConcurrency, kinds });
});
