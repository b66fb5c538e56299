import { durationMs } from '#core/duration.ts';
import type { KustomizationSpec } from './schema.ts';

const MIN_TIMEOUT_MS = 30_000;
/** Poll for a dependency or a source without artifact, should nobody wake us (upstream `--requeue-dependency`). */
export const DEPENDENCY_AGAIN_MS = 30_000;
/** How often an object whose health is an expression is looked at (upstream polls every 5 s). */
export const EXPRESSION_AGAIN_MS = 5_000;

export function intervalMs(spec: KustomizationSpec): number {
  return durationMs(spec.interval, 0);
}

/** Limit of one run including waiting: `interval` minus 30 s when absent, never below 30 s (definitions.md 3.1). */
export function timeoutMs(spec: KustomizationSpec): number {
  return Math.max(MIN_TIMEOUT_MS, durationMs(spec.timeout, intervalMs(spec) - MIN_TIMEOUT_MS));
}

export function retryMs(spec: KustomizationSpec): number {
  return durationMs(spec.retryInterval, intervalMs(spec));
}
