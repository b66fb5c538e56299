import { setTimeout as sleep } from 'node:timers/promises';
import type { Failpoints } from '#core/failpoints.ts';
import { failpointsFrom } from '#core/failpoints-env.ts';

/** The failpoints that the configuration names for this very process; inert in a release. */
export function processFailpoints(config: Parameters<typeof failpointsFrom>[0]): Failpoints {
  return failpointsFrom(config, { signal: (name) => process.kill(process.pid, name), sleep: (ms) => sleep(ms) });
}
