import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { at, type JsonObject } from '#core/json.ts';
import { type CliOptions, weir } from '#tests/cli/cli-harness.ts';
import { asPerson } from '#tests/cli/plane-access.ts';
import { condition, writeObject, writeStatus } from '#tests/cli/plane-status.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const api = useApi();
const dir = useTemporaryDir();
const path = '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/acme/kustomizations';
let me: CliOptions;

beforeAll(async () => {
  const source = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'code' },
    spec: { url: 'https://git.invalid/code', interval: '10m' },
  };
  await api.must('admin', '/apis/source.toolkit.fluxcd.io/v1/namespaces/acme/gitrepositories', { method: 'POST', body: source });
});

beforeEach(async () => {
  me = await asPerson(api, dir(), 'editor');
});

async function newKustomization(name: string): Promise<void> {
  const spec = { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'code' }, path: './' };
  await api.must('admin', path, {
    method: 'POST',
    body: { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', metadata: { name }, spec },
  });
}

/** The worker's part: answers the request of `weir reconcile` once it is there. */
async function answerRequest(kind: string, plural: string, name: string, revision: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const object = await api.must('admin', plural.replace(':name', name));
    const requestedAt = at(object, 'metadata', 'annotations', 'reconcile.fluxcd.io/requestedAt');
    if (typeof requestedAt === 'string') {
      await writeStatus(api, kind, name, ({ generation }) => ({
        observedGeneration: generation,
        lastHandledReconcileAt: requestedAt,
        lastAppliedRevision: revision,
        conditions: [condition('True', 'Succeeded', `Applied ${revision}`, generation)],
      }));
      return;
    }
    await sleep(25);
  }
  throw new Error(`nobody asked for ${name}`);
}

test('reconcile --with-source asks the source first, waits for both by watch, and prints the revision', async () => {
  await newKustomization('asked');
  const source = '/apis/source.toolkit.fluxcd.io/v1/namespaces/acme/gitrepositories/:name';
  const [ran] = await Promise.all([
    weir(me, 'reconcile', 'ks', 'asked', '--with-source', '--timeout', '20s'),
    answerRequest('GitRepository', source, 'code', 'main@sha1:abc').then(async () =>
      answerRequest('Kustomization', `${path}/:name`, 'asked', 'main@sha1:abc'),
    ),
  ]);
  expect(ran.code, ran.err).toBe(0);
  expect(ran.out).toBe('main@sha1:abc\n');
  expect(ran.err.indexOf('GitRepository/acme/code')).toBeLessThan(ran.err.indexOf('Kustomization/acme/asked'));
  expect(ran.err).toContain('Kustomization/acme/asked: Applied main@sha1:abc');
});

test('C11: a wait that is over tells object, condition, last event, cluster and the next command, and exits 1', async () => {
  await newKustomization('slow');
  await writeStatus(api, 'Kustomization', 'slow', () => ({
    conditions: [condition('False', 'HealthCheckFailed', 'Deployment/apps/web is not ready')],
  }));
  await writeObject(
    api,
    'Event',
    'slow.1',
    {
      involvedObject: { kind: 'Kustomization', namespace: 'acme', name: 'slow' },
      reason: 'Progressing',
      message: 'still looking',
      type: 'Warning',
      lastTimestamp: '2026-01-01T00:00:00Z',
    },
    null,
  );
  await writeObject(
    api,
    'Delivery',
    'kustomization.slow.west',
    { spec: { definition: { kind: 'Kustomization', name: 'slow' }, cluster: { namespace: 'weir-system', name: 'west' } } },
    { conditions: [condition('False', 'ClusterUnreachable', 'no answer')] },
  );
  const ran = await weir(me, 'reconcile', 'kustomization', 'slow', '--timeout', '1s');
  expect(ran.code).toBe(1);
  expect(ran.err.split('\n').slice(-6)).toEqual([
    'error: Kustomization/acme/slow is not ready after 1 s',
    '  condition: Ready=False, HealthCheckFailed: Deployment/apps/web is not ready',
    '  last event: Warning Progressing: still looking',
    '  cluster: weir-system/west (ClusterUnreachable: no answer)',
    '  next: weir tree kustomization slow -n acme',
    '',
  ]);
});

test('suspend and resume set spec.suspend with a reason, and a suspended definition is not waited for', async () => {
  await newKustomization('paused');
  expect((await weir(me, 'suspend', 'ks', 'paused', '--reason', 'database move')).out).toBe('Kustomization/acme/paused suspended\n');
  expect(await api.must('admin', `${path}/paused`)).toMatchObject({
    spec: { suspend: true },
    metadata: { annotations: { 'weir.dev/suspend-reason': 'database move' } },
  });
  const refused = await weir(me, 'reconcile', 'ks', 'paused');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('next: weir resume kustomization paused')]);
  expect((await weir(me, 'resume', 'ks', 'paused', '--wait=false')).code).toBe(0);
  const resumed = await api.must('admin', `${path}/paused`);
  expect(at(resumed, 'spec', 'suspend')).toBe(false);
  expect(at(resumed, 'metadata', 'annotations', 'weir.dev/suspend-reason')).toBeUndefined();
  expect((await weir(await asPerson(api, dir(), 'viewer'), 'suspend', 'ks', 'paused')).code, 'a viewer may not').toBe(1);
});

test('tree shows the definition, each cluster and its objects, as text and as json', async () => {
  await newKustomization('grown');
  await writeStatus(api, 'Kustomization', 'grown', ({ generation }) => ({
    observedGeneration: generation,
    lastAppliedRevision: 'main@sha1:abc',
    conditions: [condition('True', 'Succeeded', 'Applied', generation)],
  }));
  const delivery = (cluster: string): JsonObject => ({
    spec: { definition: { kind: 'Kustomization', name: 'grown' }, cluster: { namespace: 'weir-system', name: cluster } },
  });
  const entries = [
    { id: 'apps_web_apps_Deployment', v: 'v1' },
    { id: '_settings__x_rbac.authorization.k8s.io_ClusterRole', v: 'v1' },
  ];
  await writeObject(api, 'Delivery', 'kustomization.grown.east', delivery('east'), {
    conditions: [condition('True', 'Succeeded', 'Applied')],
    inventory: { count: 2, entries },
  });
  await writeObject(api, 'Delivery', 'kustomization.grown.west', delivery('west'), {
    conditions: [condition('False', 'BuildFailed', 'bad \u001b[31mred\u001b[0m \u0007file')],
  });
  const text = await weir(me, 'tree', 'kustomization', 'grown');
  expect(text.out).toBe(
    [
      'Kustomization/acme/grown  Ready  main@sha1:abc',
      '├── cluster weir-system/east  Ready',
      '│   ├── Deployment/apps/web',
      '│   └── ClusterRole/settings:x',
      '└── cluster weir-system/west  BuildFailed: bad red file',
      '',
    ].join('\n'),
  );
  const json = JSON.parse((await weir(me, 'tree', 'ks', 'grown', '-o', 'json')).out);
  expect(json).toMatchObject({
    resource: { kind: 'Kustomization', name: 'grown' },
    resources: [
      {
        resource: { kind: 'Delivery', cluster: 'weir-system/east' },
        resources: [{ resource: { kind: 'Deployment', namespace: 'apps', name: 'web', group: 'apps' } }, {}],
      },
      {},
    ],
  });
});

test('B16: control characters of messages never reach the output of events', async () => {
  const evil = 'a\u001b]8;;https://evil.invalid\u0007link\u001b]8;;\u0007 \u009b31m\u0007b\u202e\u001bc\r\nsecond line';
  await writeObject(
    api,
    'Event',
    'evil.1',
    {
      involvedObject: { kind: 'GitRepository', namespace: 'acme', name: 'code' },
      reason: 'Evil',
      message: evil,
      type: 'Normal',
      lastTimestamp: '2026-01-02T00:00:00Z',
    },
    null,
  );
  const ran = await weir(me, 'events', '--for', 'gitrepository/code');
  expect(ran.code, ran.err).toBe(0);
  expect(ran.out).toContain('alink b second line');
  expect(ran.out).toMatch(/^[\n\x20-\x7e]*$/);
  const yaml = await weir(me, 'events', '--for', 'gitrepository/code', '-o', 'yaml');
  expect(yaml.out).toMatch(/^[\n\x20-\x7e]*$/);
  expect(JSON.parse((await weir(me, 'events', '--for', 'gitrepository/code', '-o', 'json')).out).items[0].message).toBe(evil);
});

test('approve writes the digest of the plan that waits, after asking', async () => {
  await newKustomization('big');
  expect((await weir(me, 'approve', 'ks', 'big', '--yes')).code, 'nothing waits').toBe(1);
  await writeObject(
    api,
    'Delivery',
    'kustomization.big.east',
    { spec: { definition: { kind: 'Kustomization', name: 'big' }, cluster: { namespace: 'weir-system', name: 'east' } } },
    {
      conditions: [
        condition(
          'False',
          'PruneApprovalRequired',
          'Pruning 30 objects waits for approval; annotate the Kustomization with weir.dev/approve-prune=sha256:abc',
        ),
      ],
    },
  );
  expect((await weir(me, 'approve', 'ks', 'big')).code, 'no terminal to ask').toBe(2);
  expect((await weir(me, 'approve', 'ks', 'big', '--digest', 'sha256:other', '--yes')).code).toBe(1);
  const ran = await weir({ ...me, answers: ['y'] }, 'approve', 'ks', 'big', '--wait=false', '--reason', 'looked at it');
  expect([ran.code, ran.out]).toEqual([0, 'Kustomization/acme/big approved sha256:abc\n']);
  expect(await api.must('admin', `${path}/big`)).toMatchObject({ metadata: { annotations: { 'weir.dev/approve-prune': 'sha256:abc' } } });
});

test('apply waits until a definition is Ready, and says at once when it is stalled', async () => {
  const input = JSON.stringify({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'stuck' },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'GitRepository', name: 'code' } },
  });
  const stall = async (): Promise<void> => {
    for (let tries = 0; tries < 200; tries += 1) {
      if ((await api.ask('admin', `${path}/stuck`)).status === 200) break;
      await sleep(25);
    }
    const stalled = { ...condition('False', 'NoCluster', 'write a Placement') };
    await writeStatus(api, 'Kustomization', 'stuck', () => ({
      observedGeneration: 1,
      conditions: [stalled, { ...stalled, type: 'Stalled', status: 'True' }],
    }));
  };
  const [ran] = await Promise.all([weir({ ...me, input }, 'apply', '-f', '-', '--timeout', '20s'), stall()]);
  expect(ran.code).toBe(1);
  expect(ran.out).toBe('kustomization.kustomize.toolkit.fluxcd.io/stuck created\n');
  expect(ran.err).toContain('Kustomization/acme/stuck is stalled: a person must act');
  expect(ran.err).toContain('NoCluster: write a Placement');
});

test('completion gives types and live names, and nothing when nobody is logged in', async () => {
  await newKustomization('completed');
  expect((await weir(me, '__complete', '--', 'get', 'kustomizations', 'compl')).out).toBe('completed\n');
  expect((await weir(me, '__complete', '--', 'get', 'kusto')).out).toBe('kustomizations\n');
  expect((await weir(me, '__complete', '--', 'cluster', '')).out).toContain('onboard\n');
  const nobody = await weir({ home: dir() }, '__complete', '--', 'get', 'kusto');
  expect([nobody.code, nobody.out, nobody.err]).toEqual([0, '', '']);
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) expect((await weir(me, 'completion', shell)).out).toContain('weir __complete');
});
