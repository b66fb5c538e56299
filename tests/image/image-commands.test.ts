import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { CliOptions } from '#tests/cli/cli-harness.ts';
import { weir } from '#tests/cli/cli-harness.ts';
import { asPerson } from '#tests/cli/plane-access.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { useImageStage } from './stage.ts';

/** `weir image` over a real registry: what was scanned, what a policy would choose, and why the others lost. */

const stage = useImageStage();
const dir = useTemporaryDir('file');
let me: CliOptions;
const linesOf = (text: string): readonly (readonly string[])[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

beforeAll(async () => {
  await stage.logins();
  for (const tag of ['1.0.0', '1.1.0', '2.0.0', 'latest', '1.1.0+x'.replace('+', '_')]) await stage.push('team/cli', tag);
  const image = `${stage.registry().host}/team/cli`;
  await stage.create('ImageRepository', 'cli', {
    image,
    interval: '10m',
    secretRef: { name: 'registry-login' },
    certSecretRef: { name: 'registry-ca' },
  });
  await stage.create('ImagePolicy', 'cli', { imageRepositoryRef: { name: 'cli' }, policy: { semver: { range: '1.x' } } });
  await stage.create('ImagePolicy', 'early', { imageRepositoryRef: { name: 'missing' }, policy: { semver: { range: '1.x' } } });
  await stage.settle();
  me = await asPerson(stage.api, dir(), 'viewer');
});

test('list shows repositories, and the tags of one', async () => {
  const all = await weir(me, 'image', 'list');
  expect(all.code, all.err).toBe(0);
  expect(linesOf(all.out)[0]).toEqual(['NAME', 'IMAGE', 'TAGS', 'LAST NEW', 'STATUS']);
  expect(linesOf(all.out)[1]?.slice(0, 3)).toEqual(['cli', `${stage.registry().host}/team/cli`, '5']);
  const tags = await weir(me, 'image', 'list', 'cli', '-o', 'name');
  expect([tags.code, tags.out]).toEqual([0, 'latest\n2.0.0\n1.1.0_x\n1.1.0\n1.0.0\n']);
  const few = await weir(me, 'image', 'list', 'cli', '--limit', '2', '-o', 'json');
  expect(JSON.parse(few.out)).toMatchObject({ kind: 'ImageTags', total: 5, tags: ['latest', '2.0.0'], metadata: { continue: '2.0.0' } });
  const next = await stage.api.must('viewer', '/apis/image.toolkit.fluxcd.io/v1/namespaces/acme/imagerepositories/cli/tags?continue=2.0.0');
  expect(next).toMatchObject({ tags: ['1.1.0_x', '1.1.0', '1.0.0'], metadata: {} });
});

test('policy test says which tag is chosen and why each other one lost', async () => {
  const ran = await weir(me, 'image', 'policy', 'test', 'cli');
  expect(ran.code, ran.err).toBe(0);
  expect(linesOf(ran.out)).toEqual([
    ['TAG', 'RESULT', 'WHY'],
    ['1.1.0', 'chosen'],
    ['1.0.0', 'lost', '1.1.0 comes later'],
    ['2.0.0', 'lost', '2.0.0 is outside the range'],
    ['latest', 'lost', 'latest is no version'],
    ['1.1.0_x', 'lost', '1.1.0_x is no version'],
  ]);
  const json = JSON.parse((await weir(me, 'image', 'policy', 'test', 'cli', '-o', 'json')).out);
  expect(json).toMatchObject({ kind: 'ImageChoice', chosen: '1.1.0', total: 5, counts: { beaten: 1, outsideRange: 1, noVersion: 2 } });
  expect((await weir(me, 'image', 'policy', 'test', 'cli', '-o', 'name')).out).toBe('1.1.0\n');
});

test('another rule and filter can be tried; the policy stays as it is', async () => {
  const before = await stage.get('ImagePolicy', 'cli');
  expect((await weir(me, 'image', 'policy', 'test', 'cli', '--semver', '>=2', '-o', 'name')).out).toBe('2.0.0\n');
  const filtered = await weir(
    me,
    'image',
    'policy',
    'test',
    'cli',
    '--pattern',
    '^1\\.(?P<minor>\\d+)\\.0$',
    '--extract',
    '$minor',
    '--numerical',
    'desc',
  );
  expect(filtered.code, filtered.err).toBe(0);
  expect(linesOf(filtered.out)[1]?.slice(0, 2)).toEqual(['1.0.0', 'chosen']);
  expect(filtered.out).toContain('the pattern is not found in it');
  expect(await stage.get('ImagePolicy', 'cli')).toEqual(before);
});

test('exit 1 when nothing would be chosen, 2 when the question is wrong', async () => {
  const nothing = await weir(me, 'image', 'policy', 'test', 'cli', '--semver', '9.x');
  expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining('unable to determine latest version')]);
  const early = await weir(me, 'image', 'policy', 'test', 'early');
  expect([early.code, early.err]).toEqual([1, expect.stringContaining('ImageRepository acme/missing does not exist')]);
  const invalid = await weir(me, 'image', 'policy', 'test', 'cli', '--semver', 'banana');
  expect([invalid.code, invalid.err]).toEqual([1, expect.stringContaining('improper constraint')]);
  expect((await weir(me, 'image', 'policy', 'test', 'cli', '--semver', '1.x', '--numerical', 'asc')).code).toBeGreaterThan(0);
  expect((await weir(me, 'image', 'list', 'cli', '--limit', '0')).code).toBe(2);
  expect((await weir(me, 'image', 'list', 'nobody')).code).toBeGreaterThan(0);
  const strangers = await asPerson(stage.api, dir(), 'stranger', 'acme');
  const hidden = await weir(strangers, 'image', 'list', 'cli');
  expect([hidden.code > 0, hidden.out]).toEqual([true, '']);
});

test('scan asks for a run and waits for it', async () => {
  await stage.push('team/cli', '1.2.0');
  const editor = await asPerson(stage.api, dir(), 'editor');
  const running = weir(editor, 'image', 'scan', 'cli', '--timeout', '60s');
  let ended = false;
  const ran = running.finally(() => {
    ended = true;
  });
  while (!ended) {
    await stage.settle();
    await sleep(50);
  }
  const { code, out, err } = await ran;
  expect(code, err).toBe(0);
  expect(out).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  expect((await weir(me, 'image', 'policy', 'test', 'cli', '-o', 'name')).out).toBe('1.2.0\n');
  const refused = await weir(me, 'image', 'scan', 'cli', '--wait=false');
  expect(refused.code).toBeGreaterThan(0);
});
