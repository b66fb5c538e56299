import { beforeAll, expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { useImageStage } from './stage.ts';

/** E8: whoever can write into the queue can cause a look and nothing else, however often and under whatever tenant's name. */

const stage = useImageStage();
const bot = { scheme: 'basic', username: 'bot', password: 'bot-password-3b7d', mayPush: true } as const;
const KINDS = ['ImageRepository', 'ImagePolicy', 'ImageUpdateAutomation'] as const;

beforeAll(async () => {
  await stage.logins();
  await stage.secret('git-bot', { username: bot.username, password: bot.password, 'ca.crt': stage.caPem() });
  await stage.push('team/app', '1.0.0');
  const login = { secretRef: { name: 'registry-login' }, certSecretRef: { name: 'registry-ca' } };
  await stage.create('ImageRepository', 'app', { image: `${stage.registry().host}/team/app`, interval: '10m', ...login });
  await stage.create('ImagePolicy', 'app', { imageRepositoryRef: { name: 'app' }, policy: { semver: { range: '1.x' } } });
  const files = { 'a.yaml': 'image: x:1 # {"$imagepolicy": "acme:app"}\n' };
  await stage.git().createRepository('app', { access: { readers: 'credentials', credentials: [bot] }, files });
  const source = { url: stage.git().urlOf('app'), interval: '10m', ref: { branch: 'main' }, secretRef: { name: 'git-bot' } };
  await stage.create('GitRepository', 'app', source);
  await stage.create('ImageUpdateAutomation', 'app', {
    interval: '10m',
    sourceRef: { kind: 'GitRepository', name: 'app' },
    git: { commit: { author: { name: 'Weir', email: 'weir@weir.test' } } },
  });
  await stage.settle();
});

type Unit = Readonly<{ tenantId: string; kind: string; id: string }>;

async function units(): Promise<readonly Unit[]> {
  const rows = await stage.api.plane.ask(
    `select w.tenant_id::text as t, w.kind as k, w.unit_id::text as u from weir.work w join weir.objects o on o.uid = w.unit_id where o.name = 'app' order by w.kind`,
  );
  return rows.map((row) => ({ tenantId: String(row['t']), kind: String(row['k']), id: String(row['u']) }));
}

/** Everything that a job could have changed. */
async function world() {
  const objects = await Promise.all([...KINDS, 'GitRepository'].map((kind) => stage.get(kind, 'app')));
  const copy = await stage.git().workingCopy('app');
  await copy.git('fetch', '--quiet', 'origin');
  return {
    versions: objects.map((one) => at(one, 'metadata', 'resourceVersion')),
    head: (await copy.git('rev-parse', 'origin/main')).trim(),
    tags: await stage.api.plane.ask('select revision, stored_at::text from weir.image_tags order by repository_uid'),
  };
}

test('a job under another tenant’s name, of another kind, for nobody, or that is not due changes nothing', async () => {
  const [row] = await stage.api.plane.ask(`select tenant_id::text as t from weir.objects where kind = 'Namespace' and name = 'other'`);
  const stranger = String(row?.['t']);
  expect(stranger).toMatch(/^[0-9a-f-]{36}$/);
  const before = await world();
  const real = await units();
  expect(real.length).toBe(4);
  expect(real[0]?.tenantId).not.toBe(stranger);
  stage.git().clearRequests();
  for (const unit of real)
    for (const forged of [
      { ...unit, tenantId: stranger },
      { ...unit, kind: unit.kind === 'ImagePolicy' ? 'ImageRepository' : 'ImagePolicy' },
      { ...unit, id: '99999999-9999-4999-8999-999999999999' },
      // As it was sent before, once more.
      unit,
      unit,
    ])
      expect(await stage.run(forged), JSON.stringify(forged)).toBe('dropped');
  // Due for its own tenant, and named by another's job.
  for (const kind of KINDS) await stage.due(kind, 'app');
  for (const unit of real) expect(await stage.run({ ...unit, tenantId: stranger })).toBe('dropped');
  expect(stage.git().requests()).toEqual([]);
  await stage.settle();
  expect(await world(), 'a look that finds the same writes nothing').toEqual(before);
});

test('jobs of an older choice that come late, and many at once, make no second commit and take nothing back', async () => {
  const late = await units();
  await stage.push('team/app', '1.1.0');
  await stage.due('ImageRepository', 'app');
  await stage.settle();
  const copy = await stage.git().workingCopy('app');
  const log = async (): Promise<readonly string[]> => {
    await copy.git('fetch', '--quiet', 'origin');
    return (await copy.git('log', '--format=%H', 'origin/main')).trim().split('\n');
  };
  const before = await log();
  expect(before.length).toBe(3);
  for (const kind of KINDS) await stage.due(kind, 'app');
  const ran = await Promise.all(Array.from({ length: 5 }, () => late.map((unit) => stage.run(unit))).flat());
  expect(ran.filter((one) => one === 'done').length).toBeLessThanOrEqual(KINDS.length);
  await stage.settle();
  expect(await log()).toEqual(before);
  expect(await copy.git('show', 'origin/main:a.yaml')).toContain(':1.1.0 #');
});
