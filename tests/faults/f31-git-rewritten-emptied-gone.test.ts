import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '#deploy/demo/until.ts';
import { liveObjects, writesOf } from '#tests/harness/fault-cluster.ts';
import { type FaultStage, startFaultStage } from '#tests/harness/fault-stage.ts';
import { conditionOf, filesOf, openHistory, type WorkHistory } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** Fault 31 of reliability.md: whatever becomes of the repository, a missing branch or an empty tree is not "delete all". */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage; history: WorkHistory; good: string } = {} as never;
const FIRST = { a: '0', b: '0', c: '0' };

beforeAll(async () => {
  at.stage = await startFaultStage(children, { dir: dir(), files: filesOf(FIRST), stores: 'embedded' });
  at.history = await openHistory(at.stage, FIRST);
  await at.history.converged(30_000);
});

beforeEach(async () => {
  await at.history.converged(20_000);
  at.good = (await head()).trim();
});

afterAll(async () => {
  at.history.stop();
  await at.stage.stop();
});

it('a force-push to rewritten history arrives as what it is', async () => {
  const { stage, history } = at;
  const copy = await stage.git.workingCopy(stage.tenant.repository);
  await history.commit({ a: 'to be rewritten' });
  await history.trigger();
  await history.converged(20_000);
  await copy.git('checkout', '--quiet', '--orphan', 'rewritten');
  await copy.git('commit', '--quiet', '-m', 'Rewritten history, same content');
  await copy.git('push', '--quiet', '--force', 'origin', 'rewritten:main');
  await history.commit({ b: 'after the rewrite' });
  await history.trigger();
  await history.converged(20_000);
});

it('a deleted branch: reported, last good kept, 0 deletions', async () => {
  const { stage, history } = at;
  const copy = await stage.git.workingCopy(stage.tenant.repository);
  await nothingDeleted(async () => {
    await copy.git('push', '--quiet', 'origin', `${at.good}:refs/heads/kept`, ':refs/heads/main');
    await history.trigger();
    expect((await failing('GitRepository')).message).toContain('main');
  });
  await restore();
});

it('an emptied repository: reported, last good kept, 0 deletions', async () => {
  const { stage, history } = at;
  await nothingDeleted(async () => {
    await stage.git.commitFiles(
      stage.tenant.repository,
      'main',
      Object.fromEntries(Object.keys(FIRST).map((name) => [`${name}.yaml`, null])),
    );
    await history.trigger();
    const ready = await failing('Kustomization');
    expect(ready.message).not.toBe('');
  });
  await restore();
});

it('the git server is gone and comes back', async () => {
  const { stage, history } = at;
  await nothingDeleted(async () => {
    await stage.git.setReachable(false);
    await history.trigger();
    await failing('GitRepository');
  });
  await stage.git.setReachable(true);
  await history.commit({ c: 'back' });
  await history.trigger();
  await history.converged(30_000);
});

/** Runs a fault; afterwards all objects live as before it, and the audit log has no new delete. */
async function nothingDeleted(fault: () => Promise<void>): Promise<void> {
  const deletes = async () => (await writesOf(at.stage.cluster)).filter((one) => one.verb.startsWith('delete'));
  const before = { deletes: await deletes(), live: await liveObjects(at.stage.cluster.admin) };
  await fault();
  // Long enough for a run to do harm, had one been made due.
  await sleep(500);
  expect(await liveObjects(at.stage.cluster.admin)).toEqual(before.live);
  expect(await deletes()).toEqual(before.deletes);
}

function failing(kind: 'GitRepository' | 'Kustomization') {
  const name = kind === 'GitRepository' ? at.stage.tenant.repository : 'work';
  return until(`${kind} is not ready`, 15_000, 50, async () => {
    const ready = await conditionOf(at.stage, name, kind);
    return ready.status === 'False' ? ready : null;
  });
}

async function head(): Promise<string> {
  const copy = await at.stage.git.workingCopy(at.stage.tenant.repository);
  return copy.git('ls-remote', 'origin', 'refs/heads/main').then((line) => line.split('\t')[0] ?? '');
}

/** The branch stands where it last was good. */
async function restore(): Promise<void> {
  const copy = await at.stage.git.workingCopy(at.stage.tenant.repository);
  await copy.git('push', '--quiet', '--force', 'origin', `${at.good}:refs/heads/main`);
  await at.history.trigger();
  await at.history.converged(20_000);
}
