import { serve } from '#adapters/process/serve.ts';
import { readConfig } from '#core/config.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { artifactGeneratorKind } from '#kinds/artifact-generator/index.ts';
import { bucketKind } from '#kinds/bucket/index.ts';
import { externalArtifactKind } from '#kinds/external-artifact/index.ts';
import { gitRepositoryKind } from '#kinds/git-repository/index.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { helmRepositoryKind } from '#kinds/helm-repository/index.ts';
import { ociRepositoryKind } from '#kinds/oci-repository/index.ts';
import { openWorker } from '#workers/compose.ts';

await serve(async () => {
  const config = readConfig(process.env);
  const kinds = [
    runnable(gitRepositoryKind),
    runnable(ociRepositoryKind),
    runnable(bucketKind),
    runnable(helmRepositoryKind),
    runnable(helmChartKind),
    runnable(externalArtifactKind),
    runnable(artifactGeneratorKind),
  ];
  return await openWorker({ name: 'source', config, concurrency: config.sourceConcurrency, kinds });
});
