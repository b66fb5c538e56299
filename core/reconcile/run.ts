import type { TSchema } from 'typebox';
import { TerminalError } from '../errors.ts';
import type { Job } from '../job.ts';
import type { Judged } from '../kind.ts';
import type { Log } from '../log.ts';
import type { Reason } from '../outcome.ts';
import type { Run } from '../store.ts';
import { scopeOfJob, type TenantScope } from '../tenant.ts';
import { fanOut } from './fan-out.ts';
import { judgeError } from './judge.ts';
import { holdLease } from './lease.ts';
import { runPass } from './pass.ts';
import type { Running, RunResult, Runtime } from './runtime.ts';
import { tearDown } from './tear-down.ts';
import { statusOf, writeUp } from './write-up.ts';

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
