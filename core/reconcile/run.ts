import type { TSchema } from 'typebox';
import { TerminalError } from '../errors.ts';
import type { Failpoints } from '../failpoints.ts';
import type { Job } from '../job.ts';
import type { Judged } from '../kind.ts';
import type { Log } from '../log.ts';
import type { Reason } from '../outcome.ts';
import type { Capabilities } from '../ports.ts';
import type { Run } from '../store.ts';
import { scopeOfJob, type TenantScope } from '../tenant.ts';
import type { Clock } from '../time.ts';
import { fanOut } from './fan-out.ts';
import { judgeError } from './judge.ts';
import { holdLease } from './lease.ts';
import { runPass } from './pass.ts';
import type { Runnable } from './runnable.ts';
import type { LoadedUnit, UnitStore } from './store.ts';
import { tearDown } from './tear-down.ts';
import { statusOf, writeUp } from './write-up.ts';

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

/**
 * Reconciles one unit, in the eight steps of conventions.md section 2. `dropped`: no such unit for that tenant, not due, or leased by another run
 * (so a duplicate, late or forged job changes nothing). `lost`: a newer run took over in the middle. Throws only when PostgreSQL cannot be reached:
 * the lease then ends by itself and the scheduler offers the unit again.
 */
export async function runUnit(runtime: Runtime, job: Job, stop: AbortSignal): Promise<RunResult> {
  const { store, failpoints } = runtime;
  const runnable = runtime.runnables.get(job.kind);
  if (runnable === undefined) return 'dropped';
  const scope = scopeOfJob(job, runtime.worker);
  await failpoints.hit('r1');
  const run = await store.claim(scope, job, runtime.leaseMs);
  if (run === null) return 'dropped';
  await failpoints.hit('r2');
  const unit = await store.load(scope, run);
  if (unit === null) return 'dropped';
  const lease = holdLease({ renew: () => store.renew(scope, run, runtime.leaseMs), everyMs: runtime.leaseMs / 3, stop });
  const log = runtime.log.child({
    tenant: scope.tenantId,
    kind: job.kind,
    object: `${unit.definition.namespace}/${unit.definition.name}`,
    cluster: run.clusterId,
    fence: run.fence,
  });
  try {
    const result = await branchOrRefuse({ ...runtime, log }, { scope, run, unit, runnable, signal: lease.signal });
    if (result === 'lost') await giveUp(runtime, scope, run, log);
    return result;
  } catch (error) {
    if (judgeError(error, 'ReconciliationFailed') !== null && !lease.lost()) throw error;
    await giveUp(runtime, scope, run, log);
    return 'lost';
  } finally {
    await lease.end();
  }
}

/** The unit belongs to a newer run, or is to have one: it need not wait for our lease to end by itself. Should PostgreSQL be away, it does. */
async function giveUp({ store }: Runtime, scope: TenantScope, run: Run, log: Log): Promise<void> {
  await store.release(scope, run, 0).catch((error: unknown) => log.warn({ error }, 'the lease of a lost run ends by itself'));
}

/** One claimed run with all that its steps need. */
export type Running = Readonly<{ scope: TenantScope; run: Run; unit: LoadedUnit; runnable: Runnable; signal: AbortSignal }>;

/** A definition that can't even be read is refused in its status, and not tried again before somebody changes it. */
async function branchOrRefuse(runtime: Runtime, running: Running): Promise<RunResult> {
  try {
    return await branch(runtime, running);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const { scope, run, unit, runnable } = running;
    const nowMs = runtime.clock.nowMs();
    const judged = { is: 'stalled', reason: error.reason as Reason, message: error.message } as const;
    const status = statusOf(unit.delivery ?? unit.definition);
    runtime.log.error({ reason: judged.reason, message: judged.message }, 'a stored definition was refused');
    const commit = writeUp({
      run,
      unit,
      runnable,
      judged,
      status,
      statusAtStart: status,
      objects: [],
      acted: false,
      startedAtMs: nowMs,
      nowMs,
    });
    await runtime.store.commit(scope, run, commit);
    return 'done';
  }
}

async function branch(runtime: Runtime, running: Running): Promise<RunResult> {
  const { unit, runnable } = running;
  const deleting = unit.definition.deletingAtMs !== null;
  if (runnable.unit === 'delivery' && unit.delivery === null) return fanOut(runtime, running);
  if (deleting || unit.deselected) return tearDown(runtime, running, deleting ? 'deleted' : 'deselected');
  if (runnable.suspended(unit.definition)) return settle(runtime, running);
  return reconcile(runtime, running);
}

/** A suspended unit keeps its status as it is and is not due again until it is resumed. */
async function settle(runtime: Runtime, { scope, run, unit }: Running): Promise<RunResult> {
  await runtime.store.commit(scope, run, {
    status: statusOf(unit.delivery ?? unit.definition),
    fold: null,
    event: null,
    ledger: null,
    dueInMs: null,
    failures: 0,
    outbox: [],
    artifact: null,
  });
  return 'done';
}

async function reconcile(runtime: Runtime, running: Running): Promise<RunResult> {
  const { store, clock, failpoints, log } = runtime;
  const { scope, run, unit, runnable } = running;
  const startedAtMs = clock.nowMs();
  const statusAtStart = statusOf(unit.delivery ?? unit.definition);
  const pass = await runPass(runtime, running, statusAtStart);
  const judged: Judged<TSchema> | null = pass.thrown === null ? pass.judged : judgeError(pass.thrown, 'ReconciliationFailed');
  if (judged === null) return 'lost';
  if (pass.thrown !== null) log.info({ reason: judged.reason, error: pass.thrown }, 'run ended with an error');
  const commit = writeUp({
    run,
    unit,
    runnable,
    judged,
    status: pass.status,
    statusAtStart,
    objects: pass.objects,
    acted: pass.acted,
    startedAtMs,
    nowMs: clock.nowMs(),
  });
  await store.commit(scope, run, commit);
  await failpoints.hit('r11');
  log.info({ outcome: judged.is, reason: judged.reason, durationMs: clock.nowMs() - startedAtMs, acted: pass.acted }, 'run ended');
  await failpoints.hit('r12');
  return 'done';
}
