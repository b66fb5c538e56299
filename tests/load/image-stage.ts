import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '#core/json.ts';
import { expectPlane } from '#deploy/demo/plane-client.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type Children, openChildren } from '#deploy/local/children.ts';
import { startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { type FaultStage, faultTenant, startFaultStage } from '#tests/harness/fault-stage.ts';
import { filesOf } from '#tests/harness/fault-work.ts';
import { FLUX_LAYER, openPusher } from '#tests/oci/push.ts';

const bot = { scheme: 'basic', username: 'bot', password: 'load-bot-password', mayPush: true } as const;
const KINDS = Object.freeze({
  ImageRepository: 'image.toolkit.fluxcd.io/v1/imagerepositories',
  ImagePolicy: 'image.toolkit.fluxcd.io/v1/imagepolicies',
  ImageUpdateAutomation: 'image.toolkit.fluxcd.io/v1/imageupdateautomations',
  GitRepository: 'source.toolkit.fluxcd.io/v1/gitrepositories',
  Secret: 'v1/secrets',
});
export type ImageKind = keyof typeof KINDS;

/** A whole plane in a process of its own, with a real registry and a git repository `many` whose file `w<n>.yaml` policy `w<n>` sets. */
export type ImageLoad = Readonly<{
  stage: FaultStage;
  /** The bare repository on the server. */
  repositoryDir: string;
  names: readonly string[];
  push(tag: string): Promise<void>;
  /** Asks for a scan now. */
  scan(): Promise<void>;
  get(kind: ImageKind, name: string): Promise<JsonObject>;
  /** Tags in the files at the head of main, by name. */
  tags(): Promise<ReadonlyMap<string, string>>;
}>;

/** `writers` policies of one image with an automation each, all at branch main. */
export async function withImageLoad(writers: number, work: (load: ImageLoad) => Promise<void>): Promise<void> {
  const children = openChildren();
  const dir = await mkdtemp(join(tmpdir(), 'weir-load-'));
  try {
    const stage = await startFaultStage(children, { dir, files: filesOf({ a: '0' }), stores: 'embedded' });
    try {
      await work(await setUp(children, stage, dir, writers));
    } finally {
      await stage.stop();
    }
  } finally {
    children.killAll();
    await rm(dir, { recursive: true, force: true });
  }
}

async function setUp(children: Children, stage: FaultStage, dir: string, writers: number): Promise<ImageLoad> {
  const { registry: program } = await loadToolPaths({ only: ['registry'] });
  if (program === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
  const authority = await openLocalAuthority(join(dir, 'registry-ca'), 'registry of a load run');
  const registry = await startRegistry(children, { dir: join(dir, 'registry'), program, authority });
  const pusher = openPusher({ ...registry, caPem: authority.certificatePem });
  const { namespace } = faultTenant;
  const pathOf = (kind: ImageKind): string => {
    const [group = '', version = '', plural] = KINDS[kind].split('/');
    return plural === undefined
      ? `/api/${group}/namespaces/${namespace}/${version}`
      : `/apis/${group}/${version}/namespaces/${namespace}/${plural}`;
  };
  const create = (kind: ImageKind, name: string, rest: JsonObject, labels: JsonObject = {}): Promise<JsonObject> =>
    expectPlane(stage.alice(), 'POST', pathOf(kind), {
      apiVersion: KINDS[kind].split('/').slice(0, -1).join('/'),
      kind,
      metadata: { name, namespace, labels },
      ...rest,
    });
  const push = async (tag: string): Promise<void> =>
    void (await pusher.push('team/app', tag, [{ mediaType: FLUX_LAYER, bytes: Buffer.from(tag) }]));
  const names = Array.from({ length: writers }, (_, index) => `w${index}`);
  const fileOf = (name: string): string => `image: x:none # {"$imagepolicy": "${namespace}:${name}"}\n`;
  await stage.git.createRepository('many', {
    access: { readers: 'credentials', credentials: [bot] },
    files: Object.fromEntries(names.map((name) => [`${name}.yaml`, fileOf(name)])),
    settings: { 'core.logAllRefUpdates': 'true' },
  });
  const gitCa = (await openLocalAuthority(join(stage.stateDir, 'ca'), 'fault tests')).certificatePem;
  const { host, username, password } = registry;
  await create('Secret', 'git-bot', { stringData: { username: bot.username, password: bot.password, 'ca.crt': gitCa } });
  await create('Secret', 'registry-login', {
    stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username, password } } }) },
  });
  await create('Secret', 'registry-ca', { stringData: { 'ca.crt': authority.certificatePem } });
  await create('GitRepository', 'many', {
    spec: { url: stage.git.urlOf('many'), interval: '1h', ref: { branch: 'main' }, secretRef: { name: 'git-bot' } },
  });
  await push('1.0.0');
  const login = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
  await create('ImageRepository', 'app', { spec: { image: `${host}/team/app`, interval: '1h', ...login } });
  for (const name of names) {
    await create(
      'ImagePolicy',
      name,
      { spec: { imageRepositoryRef: { name: 'app' }, policy: { semver: { range: '1.x' } } } },
      { app: name },
    );
    const git = { commit: { author: { name: 'Weir', email: 'weir@weir.test' } } };
    const policySelector = { matchLabels: { app: name } };
    const sourceRef = { kind: 'GitRepository', name: 'many' };
    await create('ImageUpdateAutomation', name, { spec: { interval: '1h', sourceRef, policySelector, git } });
  }
  const copy = await stage.git.workingCopy('many');
  return Object.freeze({
    stage,
    repositoryDir: stage.git.repositoryDir('many'),
    names,
    push,
    scan: async () => {
      const annotations = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
      const patch = { metadata: { annotations } };
      await expectPlane(stage.alice(), 'PATCH', `${pathOf('ImageRepository')}/app`, patch, 'application/merge-patch+json');
    },
    get: (kind: ImageKind, name: string) => expectPlane(stage.alice(), 'GET', `${pathOf(kind)}/${name}`),
    tags: async () => {
      const text = await copy.git('--git-dir', stage.git.repositoryDir('many'), 'grep', '-h', 'image:', 'refs/heads/main');
      const found = [...text.matchAll(/:([0-9a-z.]+) # .*:(w[0-9]+)"/g)];
      return new Map(found.map(([, tag = '', name = '']) => [name, tag]));
    },
  });
}
