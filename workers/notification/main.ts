import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { receiverKind } from '#kinds/receiver/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  const kinds = [runnable(receiverKind)];
  return await openWorker({ name: 'notification', config, concurrency: config.notificationConcurrency, kinds });
});
