import { currentVersion } from '#adapters/postgres/objects.ts';
import { AppError } from '#core/errors.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { isNewer } from '#services/api/read/list-options.ts';

const pollMs = 100;

/** Waits until a version is visible, at most `waitForVersionMs`. Throws AppError timeout with the cause that client-go looks for. */
export async function waitForVersion(deps: ApiDeps, scope: TenantScope, version: string | null, signal: AbortSignal): Promise<void> {
  if (version === null || version === '0') return;
  const untilMs = deps.clock.nowMs() + deps.limits.waitForVersionMs;
  for (;;) {
    const visible = await deps.db.inTenant(scope, (tx) => currentVersion(tx), { readOnly: true });
    if (!isNewer(version, visible)) return;
    if (deps.clock.nowMs() >= untilMs || signal.aborted) throw tooLargeVersion(version, visible);
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs);
    });
  }
}

/** 504 that client-go takes as "not yet" (kube-api.md 2.3). */
export function tooLargeVersion(asked: string, visible: string): AppError {
  return new AppError('timeout', `Timeout: Too large resource version: ${asked}, current: ${visible}`, {
    retryAfterSeconds: 1,
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
  });
}
