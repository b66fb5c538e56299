import { describe, expect, test } from 'vitest';
import type { StoredObject } from '#core/store.ts';
import { decide } from './decide.ts';
import type { Desired } from './desired.ts';
import type { KustomizationObj, Seen } from './observe.ts';
import type { KustomizationSpec, KustomizationStatus } from './schema.ts';

const NOW = 1_800_000_000_000;
const definition: StoredObject = {
  tenantId: '00000000-0000-4000-8000-00000000000a',
  kind: 'Kustomization',
  uid: '00000000-0000-4000-8000-00000000000b',
  namespace: 'team-a',
  name: 'web',
  generation: 1,
  resourceVersion: '1',
  createdAtMs: NOW,
  deletingAtMs: null,
  labels: {},
  annotations: {},
  finalizers: [],
  ownerReferences: [],
  managedFields: [],
  body: {},
  status: null,
  sealedKeys: [],
  createdBy: '',
};
const spec: KustomizationSpec = {
  sourceRef: { kind: 'GitRepository', name: 'app' },
  interval: '10m',
  retryInterval: '1m',
  timeout: '2m',
  prune: true,
};

function obj(
  change: Readonly<{ spec?: Partial<KustomizationSpec>; status?: KustomizationStatus; done?: readonly string[] }> = {},
): KustomizationObj {
  return {
    definition,
    spec: { ...spec, ...change.spec },
    status: change.status ?? null,
    done: change.done ?? [],
    clusterId: 'c',
    deliveryId: 'd',
  };
}

const web: Desired = {
  id: 'apps_web_apps_Deployment',
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'apps', name: 'web' },
  version: 'v1',
  manifest: {},
  digest: 'x',
  mode: 'Override',
  recreate: false,
};
const leaving = {
  id: 'apps_old__ConfigMap',
  ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'apps', name: 'old' },
  uid: 'u',
  live: null,
};
const plan = { apply: [], suspects: [], conflicts: [], prune: [], forget: [], unchanged: 1 } as const;

function rendered(change: Partial<Extract<Seen, { at: 'rendered' }>> = {}): Seen {
  return {
    at: 'rendered',
    revision: 'main@sha1:1',
    originRevision: null,
    artifactDigest: 'sha256:a',
    rendered: { digest: 'sha256:r', inputDigest: 'i', objects: [], cached: true },
    apply: [],
    settled: [],
    plan,
    inventory: [],
    prune: { digest: 'p', guard: null, approved: false },
    health: null,
    full: false,
    ...change,
  };
}

describe('what a blocked Kustomization comes to', () => {
  test.each([
    ['unsupported', 'stalled', 'UnsupportedField'],
    ['foreign', 'stalled', 'AccessDenied'],
    ['expression', 'stalled', 'InvalidCELExpression'],
    ['missing', 'failed', 'ArtifactFailed'],
    ['noArtifact', 'waiting', 'ArtifactFailed'],
    ['dependency', 'waiting', 'DependencyNotReady'],
  ] as const)('%s is %s with reason %s', (by, is, reason) => {
    expect(decide(obj(), { at: 'blocked', by, message: 'why', revision: null }, NOW)).toMatchObject({ is, reason, message: 'why' });
  });
});

describe('the order of a run', () => {
  test('apply comes first', () => {
    expect(decide(obj(), rendered({ apply: [web], plan: { ...plan, prune: [leaving] } }), NOW)).toMatchObject({
      do: 'apply',
      objects: [web],
    });
  });

  test('then prune, and each only once in a pass', () => {
    expect(decide(obj({ done: ['apply'] }), rendered({ apply: [web], plan: { ...plan, prune: [leaving] } }), NOW)).toMatchObject({
      do: 'prune',
    });
    expect(decide(obj({ done: ['apply', 'prune'] }), rendered({ plan: { ...plan, prune: [leaving] } }), NOW)).toMatchObject({
      is: 'ready',
      againAfterMs: 10_000,
    });
  });

  test('without prune nothing is deleted', () => {
    expect(decide(obj({ spec: { prune: false } }), rendered({ plan: { ...plan, prune: [leaving] } }), NOW)).toMatchObject({ is: 'ready' });
  });

  test('an object of another Kustomization stops the run before anything is applied', () => {
    const seen = rendered({ apply: [web], plan: { ...plan, conflicts: [{ desired: web, owner: 'other' }] } });
    expect(decide(obj(), seen, NOW)).toMatchObject({ is: 'failed', reason: 'ReconciliationFailed', retryAfterMs: 60_000 });
  });

  test('nothing to do is ready, and keeps the history as it was', () => {
    const history = [
      {
        digest: 'sha256:r',
        firstReconciled: 'a',
        lastReconciled: 'b',
        lastReconciledStatus: 'ReconciliationSucceeded',
        totalReconciliations: 3,
      },
    ];
    const done = decide(obj({ status: { lastAppliedRevision: 'main@sha1:1', history } }), rendered(), NOW);
    expect(done).toMatchObject({
      is: 'ready',
      reason: 'ReconciliationSucceeded',
      message: 'Applied revision: main@sha1:1',
      shown: { status: { history } },
    });
  });
});

describe('the prune guard', () => {
  const guarded = { digest: 'abc', guard: 'it would delete 120 objects', approved: false };

  test('a closed guard waits and says what to write', () => {
    const done = decide(obj(), rendered({ plan: { ...plan, prune: [leaving] }, prune: guarded }), NOW);
    expect(done).toMatchObject({ is: 'waiting', reason: 'PruneApprovalRequired' });
    expect('message' in done ? done.message : '').toContain('weir.dev/approve-prune=abc');
  });

  test('an approval bound to the plan opens it', () => {
    expect(decide(obj(), rendered({ plan: { ...plan, prune: [leaving] }, prune: { ...guarded, approved: true } }), NOW)).toMatchObject({
      do: 'prune',
    });
  });
});

describe('health', () => {
  const id = web.id;

  test('in progress waits and remembers since when', () => {
    const done = decide(obj({ spec: { wait: true } }), rendered({ health: [{ id, is: 'inProgress', message: '0 of 1 updated' }] }), NOW);
    expect(done).toMatchObject({
      is: 'waiting',
      reason: 'Progressing',
      afterMs: 30_000,
      shown: { status: { healthSince: { digest: 'sha256:r', sinceMs: NOW } } },
    });
  });

  test('still in progress at the time limit fails and names the object', () => {
    const status = { healthSince: { digest: 'sha256:r', sinceMs: NOW - 120_000 } };
    const done = decide(obj({ spec: { wait: true }, status }), rendered({ health: [{ id, is: 'inProgress', message: 'slow' }] }), NOW);
    expect(done).toMatchObject({ is: 'failed', reason: 'HealthCheckFailed' });
    expect('message' in done ? done.message : '').toContain('Deployment/apps/web');
  });

  test('a new render starts the clock anew', () => {
    const status = { healthSince: { digest: 'sha256:older', sinceMs: NOW - 500_000 } };
    expect(decide(obj({ status }), rendered({ health: [{ id, is: 'notFound', message: 'not there' }] }), NOW)).toMatchObject({
      is: 'waiting',
    });
  });

  test('the first failed object ends the wait', () => {
    expect(decide(obj(), rendered({ health: [{ id, is: 'failed', message: 'crashed' }] }), NOW)).toMatchObject({
      is: 'failed',
      reason: 'HealthCheckFailed',
    });
  });

  test('all current is ready and Healthy', () => {
    expect(decide(obj(), rendered({ health: [{ id, is: 'current', message: '' }] }), NOW)).toMatchObject({
      is: 'ready',
      shown: { conditions: [{ type: 'Healthy', status: 'True' }] },
    });
  });
});
