import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { imagePolicyKind } from '#kinds/image-policy/index.ts';
import { imageRepositoryKind } from '#kinds/image-repository/index.ts';
import { imageUpdateAutomationKind } from '#kinds/image-update-automation/index.ts';
import { pullRequestPolicyKind } from '#kinds/pull-request-policy/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  const kinds = [
    runnable(imageRepositoryKind),
    runnable(imagePolicyKind),
    runnable(imageUpdateAutomationKind),
    runnable(pullRequestPolicyKind),
  ];
  return await openWorker({ name: 'image', config, concurrency: config.imageConcurrency, kinds });
});
