import type { Ctx, Shown } from '#core/kind.ts';
import { condition, describeRelease, succeeded } from '../conditions.ts';
import { hasFailedTest, historyFrom } from '../history.ts';
import type { HelmReleaseObj, Looked, Needs } from '../observe.ts';
import { refuseRecord } from '../post-render.ts';
import { snapshotsOf } from '../records.ts';
import { attempted, ignoresTests } from '../state.ts';
import type { HelmReleaseStatus, Snapshot } from '../status.ts';
import { actionTimeoutMs } from '../times.ts';
import { isFailure } from './attempt.ts';

/** Runs the tests of the chart for the current release. A failed one counts for the action that made the release, unless failures are ignored. */
export async function testRelease(ctx: Ctx<Needs>, obj: HelmReleaseObj, look: Looked): Promise<Shown<typeof HelmReleaseStatus>> {
  const { spec, status } = obj;
  const filters = (spec.test?.filters ?? []).map(({ name, exclude }) => ({ name, exclude: exclude ?? false }));
  let why: string | null = null;
  try {
    const [latest] = look.raw;
    if (latest !== undefined) await refuseRecord(ctx, latest);
    await ctx.helm.perform(look.place, { do: 'test', timeoutMs: actionTimeoutMs(spec, 'test'), filters }, ctx.signal);
  } catch (error) {
    if (!isFailure(error)) throw error;
    why = error.message;
  }
  const records = await snapshotsOf(ctx.helm, await ctx.helm.records(look.place, ctx.signal));
  const [current, ...older] = historyFrom(status?.history ?? [], records, null, ignoresTests(spec, status));
  if (current === undefined) return {};
  const tested: Snapshot = { ...current, testHooks: current.testHooks ?? {} };
  const history = [tested, ...older];
  if (why === null && !hasFailedTest(tested)) {
    const count = Object.keys(tested.testHooks ?? {}).length;
    return {
      status: { history },
      conditions: [
        condition(
          'TestSuccess',
          'True',
          'TestSucceeded',
          `${succeeded('TestSucceeded', tested)}: ${count} test hook(s) completed successfully`,
        ),
      ],
    };
  }
  const message = `Helm test failed for release ${describeRelease(tested)}: ${why ?? 'a test hook failed'}`;
  const failed = condition('TestSuccess', 'False', 'TestFailed', message);
  if (ignoresTests(spec, status)) return { status: { history }, conditions: [failed] };
  const action = attempted(status);
  return {
    status: {
      history: [{ ...tested, testHooks: withFailure(tested) }, ...older],
      failures: (status?.failures ?? 0) + 1,
      installFailures: (status?.installFailures ?? 0) + (action === 'install' ? 1 : 0),
      upgradeFailures: (status?.upgradeFailures ?? 0) + (action === 'upgrade' ? 1 : 0),
    },
    conditions: [failed, condition('Released', 'False', 'TestFailed', message)],
  };
}

/** A test that never began (its Pod was refused, or nobody answered in time) failed all the same. */
function withFailure({ testHooks }: Snapshot): NonNullable<Snapshot['testHooks']> {
  const hooks = testHooks ?? {};
  return Object.values(hooks).some((hook) => hook.phase === 'Failed') ? hooks : { ...hooks, '(not run)': { phase: 'Failed' } };
}
