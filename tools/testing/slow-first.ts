import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that alone take longest, slowest first (measured on two quiet cores). In a fresh clone vitest starts big files first, and these are small: one that starts
 * last leaves a core idle for as long as it takes. A file that is not here starts after them, in vitest's own order.
 */
export const slowFiles: readonly string[] = Object.freeze([
  'tests/e2e/demo-once.test.ts',
  'tests/image/tag-to-cluster.test.ts',
  'tests/image/many-writers.test.ts',
  'tests/deploy/image.test.ts',
  'tests/faults/f1-worker-killed-until-the-intent.test.ts',
  'tests/faults/f1-worker-killed-while-applying.test.ts',
  'tests/faults/helm-cluster-lost-in-an-upgrade.test.ts',
  'tests/attacks/b-helm-charts.test.ts',
  'tests/helm-release/bad-days.test.ts',
  'tests/faults/f17-cluster-unreachable-and-back.test.ts',
  'tests/attacks/b-helm-tenants.test.ts',
  'tests/attacks/d5-yaml-bombs.test.ts',
  'tests/faults/f1-worker-process-killed-alone.test.ts',
  'tests/attacks/a8-many-and-large-manifests.test.ts',
  'tests/image/pull-requests.test.ts',
  'tests/cli/login.test.ts',
  'tests/faults/f31-git-rewritten-emptied-gone.test.ts',
  'tests/kustomization/errors.test.ts',
  'tests/helm-release/expressions.test.ts',
  'tests/kustomization/health-expressions.test.ts',
  'tests/deploy/start.test.ts',
]);

/** The place of a file in the order: lower starts earlier. Files that are not listed share the last one. Pure. */
export function startPlace(path: string): number {
  const place = slowFiles.indexOf(path);
  return place === -1 ? slowFiles.length : place;
}

/** vitest takes a class here and nothing else. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = (one: TestSpecification): number => startPlace(relative(this.ctx.config.root, one.moduleId));
    const rest = await super.sort(files);
    return rest.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}
