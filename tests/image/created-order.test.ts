import { Agent, request } from 'undici';
import { beforeAll, expect, test } from 'vitest';
import { at, type JsonObject } from '#core/json.ts';
import { INDEX, MANIFEST, openPusher, type Pusher, sha256 } from '#tests/oci/push.ts';
import { useImageStage } from './stage.ts';

/** `weir.dev/order: created`: the newest by build time, whatever the tags are called. */

const stage = useImageStage();
const CREATED = 'org.opencontainers.image.created';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const at8 = (minute: number): string => `2026-03-01T08:${String(minute).padStart(2, '0')}:00.5Z`;
let pusher: Pusher;

beforeAll(async () => {
  await stage.logins();
  pusher = openPusher({ ...stage.registry(), caPem: stage.caPem() });
  return () => pusher.close();
});

/** An image whose manifest says when it was built. */
const annotated = async (repository: string, tag: string, created: string): Promise<string> =>
  (await pusher.push(repository, tag, [], { [CREATED]: created, unique: tag })).digest;

/** An image as builders make it: the time is in its configuration. */
async function configured(repository: string, tag: string | null, body: JsonObject) {
  const config = Buffer.from(JSON.stringify(body));
  await pusher.blob(repository, config);
  return pusher.putManifest(repository, tag, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, digest: sha256(config), size: config.length },
    layers: [],
    annotations: { unique: tag ?? '' },
  });
}

async function policy(name: string, spec: JsonObject = {}, order = 'created'): Promise<void> {
  const image = `${stage.registry().host}/built/${name}`;
  const login = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
  await stage.create('ImageRepository', name, { image, interval: '10m', ...login });
  const body = { imageRepositoryRef: { name }, policy: { alphabetical: {} }, ...spec };
  await stage.create('ImagePolicy', name, body, { annotations: { 'weir.dev/order': order } });
  await stage.settle();
}
const latest = async (name: string) => at(await stage.get('ImagePolicy', name), 'status', 'latestRef', 'tag');

async function rescan(name: string): Promise<void> {
  await stage.due('ImageRepository', name);
  await stage.settle();
}

test('annotation, configuration and the image of an index are asked, and the filter says who takes part', async () => {
  await annotated('built/sources', 'main-zz', at8(1));
  await configured('built/sources', 'main-bb', { created: '2026-03-01T10:03:00+02:00', os: 'linux' });
  const child = await configured('built/sources', null, { created: at8(5) });
  await pusher.putManifest('built/sources', 'main-aa', {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ ...child, platform: { os: 'linux', architecture: 'amd64' } }],
  });
  await annotated('built/sources', 'dev-new', at8(50));
  await configured('built/sources', 'main-silent', { author: 'nobody' });
  await annotated('built/sources', 'main-wrong', 'yesterday');
  await policy('sources', { filterTags: { pattern: '^main-' } });
  expect(await stage.ready('ImagePolicy', 'sources')).toMatchObject({ status: 'True' });
  expect(await latest('sources')).toBe('main-aa');
  await stage.patch('ImagePolicy', 'sources', { metadata: { annotations: { 'weir.dev/order': null } } });
  await stage.settle();
  expect(await latest('sources'), 'another order counts at once').toBe('main-zz');
  await stage.patch('ImagePolicy', 'sources', { metadata: { annotations: { 'weir.dev/order': 'created' } } });
  await stage.settle();
  await annotated('built/sources', 'main-00', at8(6));
  await rescan('sources');
  expect(await latest('sources')).toBe('main-00');
  await annotated('built/sources', 'main-zzz', at8(2));
  await rescan('sources');
  expect(await latest('sources'), 'an older image under a later name is no newer one').toBe('main-00');
});

test('a semver range says who takes part, and of the same moment the last name wins', async () => {
  await annotated('built/range', '1.9.0', at8(1));
  await annotated('built/range', '1.0.1', at8(3));
  await annotated('built/range', '1.0.0', at8(3));
  await annotated('built/range', '2.0.0', at8(4));
  await policy('range', { policy: { semver: { range: '1.x' } } });
  expect(await latest('range')).toBe('1.0.1');
});

test('fault 34: the newest image vanishes: what was built before it is not taken, what is built after it is', async () => {
  await annotated('built/gone', 'a', at8(1));
  const digest = await annotated('built/gone', 'b', at8(5));
  await policy('gone');
  expect(await latest('gone')).toBe('b');
  const { url, username, password } = stage.registry();
  const agent = new Agent({ connect: { ca: stage.caPem() } });
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answer = await request(`${url}/v2/built/gone/manifests/${digest}`, {
    method: 'DELETE',
    headers: { authorization },
    dispatcher: agent,
  });
  await answer.body.dump();
  await agent.close();
  await annotated('built/gone', 'c', at8(3));
  await rescan('gone');
  expect(await latest('gone')).toBe('b');
  expect(await stage.ready('ImagePolicy', 'gone')).toMatchObject({
    status: 'True',
    message: expect.stringContaining('no longer in the registry'),
  });
  await annotated('built/gone', 'd', at8(6));
  await rescan('gone');
  expect(await latest('gone')).toBe('d');
});

test('what cannot be ordered so is said: too many, no time at all, another word', async () => {
  await configured('built/none', 'a', {});
  await policy('none');
  expect(await stage.ready('ImagePolicy', 'none')).toMatchObject({
    status: 'False',
    reason: 'Failure',
    message: expect.stringContaining('when it was built'),
  });
  await policy('word', {}, 'newest');
  await annotated('built/word', 'a', at8(1));
  await rescan('word');
  expect(await stage.ready('ImagePolicy', 'word')).toMatchObject({
    reason: 'InvalidPolicy',
    stalled: true,
    message: expect.stringContaining('weir.dev/order'),
  });
  const one = await annotated('built/many', 't', at8(1));
  expect(one).toMatch(/^sha256:/);
  for (let index = 0; index < 201; index += 20)
    await Promise.all(
      Array.from({ length: 20 }, (_, more) =>
        pusher.putManifest('built/many', `t${index + more}`, {
          schemaVersion: 2,
          mediaType: MANIFEST,
          config: { mediaType: CONFIG, digest: sha256('{}'), size: 2 },
          layers: [],
          annotations: { [CREATED]: at8(2) },
        }),
      ),
    );
  await policy('many');
  expect(await stage.ready('ImagePolicy', 'many')).toMatchObject({
    status: 'False',
    reason: 'Failure',
    message: expect.stringContaining('200 at most'),
  });
  await stage.patch('ImagePolicy', 'many', { spec: { filterTags: { pattern: '^t1[0-9]$' } } });
  await stage.settle();
  expect(await latest('many')).toBe('t19');
});
