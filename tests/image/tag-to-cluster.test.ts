import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type JsonObject, at as jsonAt, textAt } from '#core/json.ts';
import { placement } from '#deploy/demo/definitions.ts';
import { callPlane, expectPlane } from '#deploy/demo/plane-client.ts';
import { until } from '#deploy/demo/until.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { callCluster } from '#deploy/local/cluster-api.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { type FaultStage, faultTenant, startFaultStage } from '#tests/harness/fault-stage.ts';
import { filesOf } from '#tests/harness/fault-work.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { FLUX_LAYER, openPusher } from '#tests/oci/push.ts';

/** The whole loop on a plane in a process of its own: a tag in a registry becomes a commit, and the commit becomes the object on the cluster; also when the plane is killed in the middle. */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stage: FaultStage; registry: RegistryServer; pusher: ReturnType<typeof openPusher> } = Object.create(null);
const bot = { scheme: 'basic', username: 'bot', password: 'bot-password-91d0', mayPush: true } as const;
const { namespace } = faultTenant;
const IMAGE = 'image.toolkit.fluxcd.io/v1';
const SOURCE = 'source.toolkit.fluxcd.io/v1';
const KUSTOMIZE = 'kustomize.toolkit.fluxcd.io/v1';

const pathOf = (apiVersion: string, plural: string): string =>
  `/${apiVersion === 'v1' ? 'api' : 'apis'}/${apiVersion}/namespaces/${namespace}/${plural}`;

async function create(apiVersion: string, kind: string, plural: string, name: string, rest: JsonObject): Promise<void> {
  await expectPlane(at.stage.alice(), 'POST', pathOf(apiVersion, plural), { apiVersion, kind, metadata: { name, namespace }, ...rest });
}

async function automation(): Promise<JsonObject> {
  return (await callPlane(at.stage.alice(), 'GET', `${pathOf(IMAGE, 'imageupdateautomations')}/img`)).body;
}

const push = (tag: string) => at.pusher.push('team/app', tag, [{ mediaType: FLUX_LAYER, bytes: Buffer.from(tag) }]);

async function git(...words: readonly string[]): Promise<string> {
  const copy = await at.stage.git.workingCopy('img');
  await copy.git('fetch', '--quiet', 'origin');
  return (await copy.git(...words)).trim();
}

async function liveTag(): Promise<string | undefined> {
  const answer = await callCluster(at.stage.cluster.admin, {
    method: 'GET',
    path: `/api/v1/namespaces/${faultTenant.clusterNamespace}/configmaps/img`,
  });
  return textAt(answer.body as JsonObject, 'data', 'tag');
}

const onCluster = (tag: string): Promise<true> =>
  until(
    `${tag} on the cluster`,
    90_000,
    50,
    async () => ((await liveTag().catch(() => undefined)) === tag ? true : null),
    async () => JSON.stringify(await automation()).slice(0, 4_000),
  );

beforeAll(async () => {
  at.stage = await startFaultStage(children, { dir: dir(), files: filesOf({ a: '0' }), stores: 'embedded' });
  const { registry: program } = await loadToolPaths({ only: ['registry'] });
  if (program === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
  const authority = await openLocalAuthority(join(dir(), 'registry-ca'), 'registry of a test');
  at.registry = await startRegistry(children, { dir: join(dir(), 'registry'), program, authority });
  at.pusher = openPusher({ ...at.registry, caPem: authority.certificatePem });
  await push('1.0.0');
  const gitCa = (await openLocalAuthority(join(at.stage.stateDir, 'ca'), 'fault tests')).certificatePem;
  await at.stage.git.createRepository('img', {
    access: { readers: 'credentials', credentials: [bot] },
    files: {
      'img.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: img\ndata:\n  tag: none # {"$imagepolicy": "${namespace}:img:tag"}\n`,
    },
  });
  const { host, username, password } = at.registry;
  await create('v1', 'Secret', 'secrets', 'git-bot', { stringData: { username: bot.username, password: bot.password, 'ca.crt': gitCa } });
  await create('v1', 'Secret', 'secrets', 'registry-login', {
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username, password } } }) },
  });
  await create('v1', 'Secret', 'secrets', 'registry-ca', { stringData: { 'ca.crt': authority.certificatePem } });
  await create(SOURCE, 'GitRepository', 'gitrepositories', 'img', {
    spec: { url: at.stage.git.urlOf('img'), interval: '1h', ref: { branch: 'main' }, secretRef: { name: 'git-bot' } },
  });
  await create(KUSTOMIZE, 'Kustomization', 'kustomizations', 'img', {
    spec: {
      interval: '1h',
      retryInterval: '5s',
      path: './',
      prune: true,
      targetNamespace: faultTenant.clusterNamespace,
      sourceRef: { kind: 'GitRepository', name: 'img' },
    },
  });
  await expectPlane(
    at.stage.alice(),
    'POST',
    pathOf('weir.dev/v1', 'placements'),
    placement(faultTenant, 'img', ['img'], { names: [at.stage.cluster.name] }) as JsonObject,
  );
  await create(IMAGE, 'ImageRepository', 'imagerepositories', 'img', {
    spec: { image: `${host}/team/app`, interval: '1s', secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } },
  });
  await create(IMAGE, 'ImagePolicy', 'imagepolicies', 'img', {
    spec: { imageRepositoryRef: { name: 'img' }, policy: { semver: { range: '1.x' } } },
  });
  await create(IMAGE, 'ImageUpdateAutomation', 'imageupdateautomations', 'img', {
    spec: {
      interval: '1h',
      sourceRef: { kind: 'GitRepository', name: 'img' },
      git: { commit: { author: { name: 'Weir', email: 'weir@weir.test' } } },
    },
  });
});
afterAll(async () => {
  await at.pusher?.close();
  await at.registry?.stop();
  await at.stage?.stop();
});

it('a tag becomes a commit, and the commit the object on the cluster, without a webhook', async () => {
  await onCluster('1.0.0');
  const startMs = performance.now();
  await push('1.1.0');
  await until('the commit', 60_000, 50, async () => ((await git('show', 'origin/main:img.yaml')).includes('tag: 1.1.0 #') ? true : null));
  const commitMs = performance.now() - startMs;
  await onCluster('1.1.0');
  console.info(
    `tag to commit ${Math.round(commitMs)} ms, tag to applied ${Math.round(performance.now() - startMs)} ms, at a scan each second`,
  );
  expect(await git('rev-list', '--count', 'origin/main')).toBe('3');
}, 200_000);

it.each([
  ['i1', '1.2.0'],
  ['i3', '1.3.0'],
  ['i4', '1.4.0'],
])(
  'INV-8: killed at %s, the decision is in exactly one commit, and recorded',
  async (point, tag) => {
    const { stage } = at;
    await until('the tag before', 90_000, 100, async () => ((await liveTag().catch(() => undefined)) === undefined ? null : true));
    const before = Number(await git('rev-list', '--count', 'origin/main'));
    await stage.kill();
    await stage.start({ WEIR_FAILPOINT: `${point}:kill` });
    await push(tag);
    await stage.died();
    await stage.start();
    await onCluster(tag);
    await until(
      'the record',
      60_000,
      100,
      async () => (textAt(await automation(), 'status', 'observedPolicies', 'img', 'tag') === tag ? true : null),
      async () => JSON.stringify(await automation()).slice(0, 4_000),
    );
    expect(Number(await git('rev-list', '--count', 'origin/main'))).toBe(before + 1);
    expect(jsonAt(await automation(), 'status', 'lastPushCommit')).toBe(await git('rev-parse', 'origin/main'));
  },
  240_000,
);
