import type { Worker } from '#core/kind.ts';
import { type Runnable, runnable } from '#core/reconcile/runnable.ts';
import { artifactGeneratorKind } from '#kinds/artifact-generator/index.ts';
import { bucketKind } from '#kinds/bucket/index.ts';
import { clusterKind } from '#kinds/cluster/index.ts';
import { externalArtifactKind } from '#kinds/external-artifact/index.ts';
import { gitRepositoryKind } from '#kinds/git-repository/index.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { helmReleaseKind } from '#kinds/helm-release/index.ts';
import { helmRepositoryKind } from '#kinds/helm-repository/index.ts';
import { imagePolicyKind } from '#kinds/image-policy/index.ts';
import { imageRepositoryKind } from '#kinds/image-repository/index.ts';
import { imageUpdateAutomationKind } from '#kinds/image-update-automation/index.ts';
import { kustomizationKind } from '#kinds/kustomization/index.ts';
import { ociRepositoryKind } from '#kinds/oci-repository/index.ts';
import { placementKind } from '#kinds/placement/index.ts';
import { pullRequestPolicyKind } from '#kinds/pull-request-policy/index.ts';
import { receiverKind } from '#kinds/receiver/index.ts';

/** The kinds of the registry that have work of their own, ready to run. A test compares this list with `kinds/registry.ts`. */
const all: readonly Runnable[] = Object.freeze([
  runnable(gitRepositoryKind),
  runnable(bucketKind),
  runnable(helmRepositoryKind),
  runnable(helmChartKind),
  runnable(helmReleaseKind),
  runnable(ociRepositoryKind),
  runnable(externalArtifactKind),
  runnable(artifactGeneratorKind),
  runnable(kustomizationKind),
  runnable(clusterKind),
  runnable(placementKind),
  runnable(imageRepositoryKind),
  runnable(imagePolicyKind),
  runnable(imageUpdateAutomationKind),
  runnable(pullRequestPolicyKind),
  runnable(receiverKind),
]);

export const runnables: ReadonlyMap<string, Runnable> = new Map(all.map((one) => [one.resource.kind, one]));

/** Which worker's queue a kind's jobs go to. */
export const kindRoutes: ReadonlyMap<string, Worker> = new Map(all.map((one) => [one.resource.kind, one.worker]));
