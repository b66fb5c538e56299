import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { clusterKind } from '#kinds/cluster/index.ts';
import { placementKind } from '#kinds/placement/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  const kinds = [runnable(clusterKind), runnable(placementKind)];
  return await openWorker({ name: 'fleet', config, concurrency: config.fleetConcurrency, kinds });
});
