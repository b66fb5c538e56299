import type { Ctx } from '../kind.ts';
import type { Capabilities, Need } from '../ports.ts';
import type { ObjectResult } from '../store.ts';
import type { Running, Runtime } from './runtime.ts';

/** What a kind gets: the ports it named in `needs` and nothing else. Results that it records land in `objects`. */
export function contextOf(
  runtime: Runtime,
  { scope, runnable }: Running,
  ports: Partial<Capabilities>,
  signal: AbortSignal,
  objects: ObjectResult[],
): Ctx<Need> {
  for (const need of runnable.needs)
    if (ports[need] === undefined) throw new Error(`no port ${need} was bound for ${runnable.resource.kind}`);
  const needed = Object.fromEntries(runnable.needs.map((need) => [need, ports[need]]));
  return {
    ...(needed as Capabilities),
    scope,
    signal,
    log: runtime.log,
    failpoints: runtime.failpoints,
    nowMs: () => runtime.clock.nowMs(),
    record: (results) => {
      objects.push(...results);
    },
  };
}
