import { durationMs } from '#core/duration.ts';
import type { HelmReleaseSpec } from './schema.ts';

const DEFAULT_TIMEOUT_MS = 5 * 60_000;
const DEFAULT_RETRY_MS = 5 * 60_000;
/** Poll for a dependency or a source without artifact, should nobody wake us (upstream `--requeue-dependency`). */
export const DEPENDENCY_AGAIN_MS = 30_000;
/** A remediation ended: the next try begins at once, as upstream. */
export const NEXT_TRY_MS = 500;
/** The records are read at least this often, whatever the watches say. */
export const FULL_CHECK_MS = 60 * 60_000;
/** Helm ends its own waits first; then we would. */
const GRACE_MS = 30_000;

export function intervalMs(spec: HelmReleaseSpec): number {
  return durationMs(spec.interval, 0);
}

type Action = 'install' | 'upgrade' | 'rollback' | 'test' | 'uninstall';

/** Limit of one action: its own, else that of the release, else 5 minutes. */
export function actionTimeoutMs(spec: HelmReleaseSpec, action: Action): number {
  return durationMs(spec[action]?.timeout, durationMs(spec.timeout, DEFAULT_TIMEOUT_MS));
}

/** Limit of one pass, which may upgrade, test and remediate. */
export function passTimeoutMs(spec: HelmReleaseSpec): number {
  const actions: readonly Action[] = ['upgrade', 'test', 'rollback', 'uninstall', 'install'];
  return actions.reduce((sum, action) => sum + actionTimeoutMs(spec, action) + GRACE_MS, 0);
}

export function retryIntervalMs(spec: HelmReleaseSpec, action: 'install' | 'upgrade'): number {
  return durationMs(spec[action]?.strategy?.retryInterval, DEFAULT_RETRY_MS);
}
