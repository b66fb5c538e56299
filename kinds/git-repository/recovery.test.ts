import { expect, test } from 'vitest';
import { AppError } from '#core/errors.ts';
import type { ExtraCondition } from '#core/outcome.ts';
import { act } from './act.ts';
import { decide } from './decide.ts';
import type { GitRepositoryObj } from './observe.ts';
import type { GitRepositoryStatus } from './schema.ts';

const COMMIT = 'a'.repeat(40);
const ACTION = { do: 'build', commit: COMMIT, revision: `main@sha1:${COMMIT}`, within: 'refs/heads/main', advertised: [] } as const;
const LATER = '2026-01-01T00:00:00Z';

type Ports = Parameters<typeof act>[0];

/** A remote and a store that answer at once; `fails` is what the remote throws. */
function ports(fails: AppError | null): Ports {
  return {
    git: {
      advertise: () => Promise.reject(new Error('a build does not look again')),
      snapshot: () => (fails === null ? Promise.resolve({ tarPath: 'tree.tar', dispose: () => Promise.resolve() }) : Promise.reject(fails)),
    } as unknown as Ports['git'],
    artifacts: { put: () => Promise.resolve({ digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 }) } as unknown as Ports['artifacts'],
    secrets: { read: () => Promise.resolve(null) },
    signal: AbortSignal.timeout(5_000),
    nowMs: () => Date.parse(LATER),
  } as Ports;
}

function after(earlier: readonly string[]): GitRepositoryObj {
  const conditions = earlier.map((type) => ({
    type,
    status: 'True' as const,
    reason: 'GitOperationFailed',
    message: 'the server was away',
    lastTransitionTime: LATER,
    observedGeneration: 1,
  }));
  const definition = { namespace: 'team', name: 'app', generation: 1 } as GitRepositoryObj['definition'];
  return { definition, spec: { url: 'https://git.example/app', interval: '1m' }, status: { conditions }, done: [] };
}

async function judge(earlier: readonly string[], fails: AppError | null) {
  const obj = after(earlier);
  const { status } = await act(ports(fails), obj, ACTION);
  const merged = { ...obj.status, ...status } as GitRepositoryStatus;
  return decide({ ...obj, status: merged, done: ['build'] }, { at: 'built' });
}

test.each([[[]], [['FetchFailed']], [['StorageOperationFailed']], [['FetchFailed', 'StorageOperationFailed']]])(
  'after %j a build that works is ready at once',
  async (earlier) => {
    const verdict = await judge(earlier, null);
    expect(verdict).toMatchObject({ is: 'ready', revision: ACTION.revision });
    const gone = ('shown' in verdict ? (verdict.shown?.conditions ?? []) : []).filter((one: ExtraCondition) => one.status === null);
    expect(gone.map((one) => one.type)).toContain('FetchFailed');
  },
);

test('after a failure of the store a failure of the remote is reported as what it is', async () => {
  const verdict = await judge(['StorageOperationFailed'], new AppError('gitAuthFailed', 'the login was refused'));
  expect(verdict).toMatchObject({
    is: 'failed',
    reason: 'AuthenticationFailed',
    message: expect.stringContaining('the login was refused'),
  });
});
