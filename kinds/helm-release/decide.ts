import type { Judged } from '#core/kind.ts';
import type { ExtraCondition, Reason } from '#core/outcome.ts';
import { condition, conditionNow, succeeded, without } from './conditions.ts';
import { previousGood } from './history.ts';
import { type HelmReleaseObj, handledAt, type Looked, type Seen } from './observe.ts';
import { isKeyed } from './records.ts';
import type { Counters } from './state.ts';
import { attempted, countersOf, ignoresTests, isExhausted, remediatesLast, stateOf } from './state.ts';
import type { HelmReleaseStatus, Snapshot } from './status.ts';
import { DEPENDENCY_AGAIN_MS, NEXT_TRY_MS, retryIntervalMs } from './times.ts';

/** One thing to do with the release. `look` carries what the action needs; `why` is for the event and the ledger. */
export type Act =
  | Readonly<{ do: 'chart'; why: string }>
  | Readonly<{ do: 'rekey' | 'unlock' | 'install' | 'upgrade' | 'test' | 'uninstall' | 'correct' | 'note'; look: Looked; why: string }>
  | Readonly<{ do: 'replace'; leaving: NonNullable<Looked['leaving']>; why: string }>
  | Readonly<{ do: 'rollback'; look: Looked; to: Snapshot; why: string }>;

type Verdict = Act | Judged<typeof HelmReleaseStatus>;

/** The next thing to do for one release on one cluster (definitions.md 4.4). Pure; the whole order of a run is this function. */
export function decide(obj: HelmReleaseObj, seen: Seen): Verdict {
  switch (seen.at) {
    case 'blocked':
      return blocked(seen);
    case 'chart':
      return once(obj, { do: 'chart', why: seen.why });
    case 'unchanged':
      return ready(obj, seen.revision, {});
    case 'looked':
      return looked(obj, seen);
  }
}

function blocked({ by, message, revision }: Extract<Seen, { at: 'blocked' }>): Verdict {
  const shown = revision === null ? {} : { shown: { revision } };
  switch (by) {
    case 'unsupported':
      return { is: 'stalled', reason: 'UnsupportedField', message };
    case 'foreign':
      return { is: 'stalled', reason: 'AccessDenied', message };
    case 'place':
      return { is: 'stalled', reason: 'ValidationFailed', message };
    case 'expression':
      return { is: 'stalled', reason: 'InvalidCELExpression', message };
    case 'missing':
      return { is: 'failed', reason: 'ArtifactFailed', message, ...shown };
    case 'noArtifact':
      return { is: 'waiting', reason: 'SourceNotReady', message, afterMs: DEPENDENCY_AGAIN_MS, ...shown };
    case 'dependency':
      return { is: 'waiting', reason: 'DependencyNotReady', message, afterMs: DEPENDENCY_AGAIN_MS, ...shown };
    case 'values':
      return { is: 'failed', reason: 'ValuesError', message, ...shown };
    case 'chart':
      return { is: 'failed', reason: 'ArtifactFailed', message, ...shown };
    case 'mutation':
      return { is: 'failed', reason: 'ChartMutateError', message, ...shown };
  }
}

function looked(obj: HelmReleaseObj, look: Looked): Verdict {
  const { spec, status } = obj;
  const { generation } = obj.definition;
  // Before anything is compared: what an earlier version wrote down is no other release.
  if ((status?.history ?? []).some((one) => !isKeyed(one))) return once(obj, { do: 'rekey', look, why: 'digests in status become keyed' });
  // A release that moved to another name or namespace, or became another chart, is taken away first.
  if (look.leaving !== null) return once(obj, { do: 'replace', leaving: look.leaving, why: look.leaving.why });
  if (look.settled.length > 0 && !obj.done.includes('note')) return { do: 'note', look, why: 'objects moved without a difference' };
  const state = stateOf(spec, status, look);
  const counters = countersOf(status, { generation, wanted: look.wanted, reset: look.reset });
  switch (state.is) {
    case 'Locked':
      return once(obj, { do: 'unlock', look, why: state.why });
    case 'Leaving':
      return once(obj, { do: 'uninstall', look, why: state.why });
    case 'Absent':
      if (isExhausted(spec, counters, 'install') && !look.forced) return exceeded(obj, look, counters, 'install');
      return once(obj, { do: 'install', look, why: state.why });
    case 'Unmanaged':
      return once(obj, { do: 'upgrade', look, why: state.why });
    case 'OutOfSync':
      if (isExhausted(spec, counters, 'upgrade') && !look.forced) return exceeded(obj, look, counters, 'upgrade');
      return once(obj, { do: 'upgrade', look, why: state.why });
    case 'Untested':
      return once(obj, { do: 'test', look, why: state.why });
    case 'Failed':
      return failed(obj, look, counters, state.why);
    case 'Drifted':
      return drifted(obj, look, state.why);
    case 'InSync':
      if (look.forced && !obj.done.includes('upgrade')) return { do: 'upgrade', look, why: 'asked for by forceAt' };
      return ready(obj, look.revision, { inSync: look.inSync, fullCheckMs: look.nowMs });
  }
}

/** Each thing once per pass; what would come a second time is said as it went the first time. */
function once(obj: HelmReleaseObj, act: Act): Verdict {
  if (!obj.done.includes(act.do)) return act;
  const released = conditionNow(obj.status, 'Released');
  const remediated = conditionNow(obj.status, 'Remediated');
  if (remediated !== null && (act.do === 'install' || act.do === 'upgrade'))
    return { is: 'failed', reason: remediated.reason as Reason, message: remediated.message, retryAfterMs: NEXT_TRY_MS };
  if (released?.status === 'False') return { is: 'failed', reason: released.reason as Reason, message: released.message };
  return { is: 'failed', reason: 'ReconcileError', message: `${act.do} was done and is still to be done: ${act.why}` };
}

function failed(obj: HelmReleaseObj, look: Looked, counters: Counters, why: string): Verdict {
  const { spec, status } = obj;
  const action = attempted(status);
  const count = action === 'install' ? counters.installFailures : counters.upgradeFailures;
  if (look.forced && !obj.done.includes('upgrade')) return { do: 'upgrade', look, why: 'asked for by forceAt' };
  if (spec[action]?.strategy?.name === 'RetryOnFailure') {
    if (!obj.done.includes('install') && !obj.done.includes('upgrade')) return { do: 'upgrade', look, why };
    return failedNow(obj, retryIntervalMs(spec, action));
  }
  // What failed was changed since: it is worth another try.
  if (count === 0) return once(obj, { do: 'upgrade', look, why });
  if (isExhausted(spec, counters, action) && !remediatesLast(spec, action)) return exceeded(obj, look, counters, action);
  if (action === 'install' || spec.upgrade?.remediation?.strategy === 'uninstall') return once(obj, { do: 'uninstall', look, why });
  const to = previousGood(status?.history ?? [], ignoresTests(spec, status));
  const there = to === null ? undefined : look.records.find((one) => one.version === to.version && one.digest === to.digest);
  if (there === undefined)
    return {
      is: 'stalled',
      reason: 'MissingRollbackTarget',
      message: `${why}, and there is no earlier good release in the cluster to go back to: correct the chart or the values`,
    };
  return once(obj, { do: 'rollback', look, to: there, why });
}

function failedNow({ status }: HelmReleaseObj, retryAfterMs: number): Verdict {
  const released = conditionNow(status, 'Released');
  if (released?.status !== 'False') return { is: 'failed', reason: 'ReconcileError', message: 'the release failed', retryAfterMs };
  return { is: 'failed', reason: released.reason as Reason, message: released.message, retryAfterMs };
}

function exceeded(obj: HelmReleaseObj, look: Looked, counters: Counters, action: 'install' | 'upgrade'): Verdict {
  const count = action === 'install' ? counters.installFailures : counters.upgradeFailures;
  const released = conditionNow(obj.status, 'Remediated') ?? conditionNow(obj.status, 'Released');
  const message = `Failed to ${action} after ${count} attempt(s)${released === null ? '' : `. ${released.message}`}`;
  return { is: 'stalled', reason: 'RetriesExceeded', message, shown: { revision: look.revision } };
}

function drifted(obj: HelmReleaseObj, look: Looked, why: string): Verdict {
  const found = condition('Drifted', 'True', 'DriftDetected', why);
  if (obj.spec.driftDetection?.mode !== 'enabled')
    return ready(obj, look.revision, { inSync: look.inSync, fullCheckMs: look.nowMs, drift: [found] });
  if (!obj.done.includes('correct')) return { do: 'correct', look, why };
  return { is: 'failed', reason: 'DriftCorrectionFailed', message: why, shown: { conditions: [found] } };
}

type Beside = Readonly<{
  /** What was found to be in sync; absent when nothing had to be looked at. */
  inSync?: NonNullable<HelmReleaseStatus['applied']>;
  fullCheckMs?: number;
  drift?: readonly ExtraCondition[];
}>;

function ready({ definition, spec, status }: HelmReleaseObj, revision: string, { inSync, fullCheckMs, drift }: Beside): Verdict {
  const tested = conditionNow(status, 'TestSuccess');
  const reason = tested?.status === 'True' ? 'TestSucceeded' : (conditionNow(status, 'Released')?.reason ?? 'UpgradeSucceeded');
  const current = status?.history?.[0];
  const looksForDrift = (spec.driftDetection?.mode ?? 'disabled') !== 'disabled';
  const calm = looksForDrift
    ? [condition('Drifted', 'False', 'NoDriftDetected', 'the objects are as the release says')]
    : without('Drifted');
  return {
    is: 'ready',
    reason: reason as Reason,
    message: current === undefined ? 'the release is in sync' : succeeded(reason, current),
    revision,
    shown: {
      revision,
      conditions: drift ?? (inSync === undefined ? [] : calm),
      status: {
        lastAttemptedGeneration: definition.generation,
        ...handledAt({ definition }),
        ...(inSync === undefined ? {} : { applied: inSync }),
        ...(fullCheckMs === undefined ? {} : { lastFullCheckMs: fullCheckMs }),
      },
    },
  };
}
