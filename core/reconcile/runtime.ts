import type { Failpoints } from '../failpoints.ts';
import type { Log } from '../log.ts';
import type { Capabilities } from '../ports.ts';
import type { Run } from '../store.ts';
import type { TenantScope } from '../tenant.ts';
import type { Clock } from '../time.ts';
import type { Runnable } from './runnable.ts';
import type { LoadedUnit, UnitStore } from './store.ts';

/**
 * The ports that the kind needs, bound to the run's tenant (and cluster and account). Throws AppError or TerminalError when the unit may not have one,
 * such as an account that is not registered.
 */
export type BindPorts = (
  input: Readonly<{ scope: TenantScope; run: Run; unit: LoadedUnit; runnable: Runnable; signal: AbortSignal }>,
) => Promise<
  Readonly<{
    ports: Partial<Capabilities>;
    /** A text of this run without the values of Secrets that were read for it. */
    mask(text: string): string;
    dispose(): Promise<void>;
  }>
>;

export type Runtime = Readonly<{
  store: UnitStore;
  runnables: ReadonlyMap<string, Runnable>;
  bind: BindPorts;
  clock: Clock;
  log: Log;
  failpoints: Failpoints;
  leaseMs: number;
  /** A delivery is gone: what was held for it (watches) can go. */
  released(deliveryId: string): void;
  /** Name of this worker process, for scopes and logs. */
  worker: string;
}>;

export type RunResult = 'done' | 'dropped' | 'lost';

/** One claimed run with all that its steps need. */
export type Running = Readonly<{ scope: TenantScope; run: Run; unit: LoadedUnit; runnable: Runnable; signal: AbortSignal }>;
