import { beforeAll, describe, expect, it, test } from 'vitest';
import { textAt } from '#core/json.ts';
import { servedTypes } from '#kinds/receiver/support.ts';
import { useApi } from '#tests/contract/api.ts';
import { genuineHeaders, type HookType, openHook, provenByPath } from '#tests/contract/receivers.ts';
import { packagePublished, payloads } from '#tests/contract/webhook-payloads.ts';

/** A push to a registry makes the ImageRepository due that the Receiver names, whoever tells of it. */

const api = useApi();
const imagesPath = '/apis/image.toolkit.fluxcd.io/v1/namespaces/acme/imagerepositories';
const hooks = new Map<HookType, string>();

beforeAll(async () => {
  for (const type of servedTypes) {
    const name = `by-${type}`;
    const body = {
      apiVersion: 'image.toolkit.fluxcd.io/v1',
      kind: 'ImageRepository',
      metadata: { name, namespace: 'acme' },
      spec: { image: 'registry.test/team/app', interval: '10m' },
    };
    await api.must('admin', imagesPath, { method: 'POST', body });
    hooks.set(type, (await openHook(api, type, name, { resources: [{ kind: 'ImageRepository', name }] })).path);
  }
});

const post = (type: HookType, body: string, headers: Readonly<Record<string, string>>) =>
  api.ask(null, hooks.get(type) ?? '', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

async function work(type: HookType): Promise<Readonly<{ triggers: number; due: boolean; cause: string }>> {
  const [row] = await api.plane.ask(
    `select w.trigger_no::int as n, w.due_at <= clock_timestamp() as due, w.cause from weir.work w join weir.objects o on o.uid = w.unit_id where o.kind = 'ImageRepository' and o.name = $1`,
    [`by-${type}`],
  );
  return { triggers: Number(row?.['n']), due: row?.['due'] === true, cause: String(row?.['cause']) };
}

describe.each(servedTypes)('%s', (type) => {
  it('a genuine call makes the ImageRepository due at once', async () => {
    const before = await work(type);
    const reply = await post(type, payloads[type], genuineHeaders(type, payloads[type]));
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect(await work(type)).toEqual({ triggers: before.triggers + 1, due: true, cause: 'webhook' });
    const object = await api.must('admin', `${imagesPath}/by-${type}`);
    expect(textAt(object, 'metadata', 'annotations', 'reconcile.fluxcd.io/requestedAt')).toMatch(/Z$/);
  });

  it('what proves nothing changes nothing', async () => {
    const before = await work(type);
    const forged: [string, Readonly<Record<string, string>>][] = provenByPath.includes(type)
      ? [
          ['', {}],
          ['[]', {}],
          ['{"push_data":1,"docker_url":2,"action":3,"context":4}', {}],
        ]
      : [
          [payloads[type], {}],
          [payloads[type], genuineHeaders(type, payloads[type], 'another-token-of-forty-random-characters-0')],
        ];
    if (['github', 'bitbucket', 'generic-hmac', 'nexus'].includes(type))
      forged.push([`${payloads[type]} `, genuineHeaders(type, payloads[type])]);
    for (const [body, headers] of forged) if (type !== 'generic') expect((await post(type, body, headers)).status).toBe(400);
    expect(await work(type)).toEqual(before);
  });
});

test.each(['bitbucket', 'nexus', 'acr', 'cdevents'] as const)('%s: the same delivery twice wakes once', async (type) => {
  // Acr and CDEvents name a delivery in the body, which was sent before.
  const headers = genuineHeaders(type, payloads[type], undefined, 'one-delivery');
  await post(type, payloads[type], headers);
  const before = await work(type);
  expect((await post(type, payloads[type], headers)).status).toBe(200);
  expect(await work(type)).toEqual(before);
});

test('the container registry of GitHub: the event package of a github receiver', async () => {
  const before = await work('github');
  const headers = { ...genuineHeaders('github', packagePublished), 'x-github-event': 'package' };
  expect((await post('github', packagePublished, headers)).status).toBe(200);
  expect((await work('github')).triggers).toBe(before.triggers + 1);
});

test('events of bitbucket and cdevents are filtered by their names', async () => {
  const bitbucket = await openHook(api, 'bitbucket', 'picky-bitbucket', { events: ['repo:push'] });
  const cdevents = await openHook(api, 'cdevents', 'picky-cdevents', { events: ['dev.cdevents.artifact.published.0.2.0'] });
  const ask = (path: string, body: string, headers: Readonly<Record<string, string>>) =>
    api.ask(null, path, { method: 'POST', body, headers });
  const signed = genuineHeaders('bitbucket', payloads.bitbucket);
  expect((await ask(bitbucket.path, payloads.bitbucket, { ...signed, 'x-event-key': 'pullrequest:created' })).status).toBe(400);
  expect((await ask(bitbucket.path, payloads.bitbucket, signed)).status).toBe(200);
  expect((await ask(cdevents.path, payloads.cdevents, { 'ce-type': 'dev.cdevents.build.started.0.2.0' })).status).toBe(400);
  expect((await ask(cdevents.path, payloads.cdevents, genuineHeaders('cdevents', payloads.cdevents))).status).toBe(200);
});

test('a harbor token is in no log', () => expect(api.logged()).not.toContain('a-token-of-forty'));
