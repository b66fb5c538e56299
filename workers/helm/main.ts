import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { helmReleaseKind } from '#kinds/helm-release/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  return await openWorker({ name: 'helm', config, concurrency: config.helmConcurrency, kinds: [runnable(helmReleaseKind)] });
});
