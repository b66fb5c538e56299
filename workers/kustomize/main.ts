import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { kustomizationKind } from '#kinds/kustomization/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  const kinds = [runnable(kustomizationKind)];
  return await openWorker({ name: 'kustomize', config, concurrency: config.kustomizeConcurrency, kinds });
});
