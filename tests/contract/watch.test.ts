import { beforeAll, describe, expect, it } from 'vitest';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi({ limits: { bookmarkMs: 700, watchPollMs: 60_000, recheckMs: 500 } });
const path = '/api/v1/namespaces/acme/configmaps';
const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
});

async function create(name: string, labels: Record<string, string> = {}): Promise<JsonObject> {
  const made = await api.ask(path, { method: 'POST', as: 'jane', body: configMap(name, {}, labels) });
  expect(made.status, made.text + api.logged.join('\n')).toBe(201);
  return made.body;
}

async function merge(name: string, patch: JsonObject): Promise<JsonObject> {
  const done = await api.ask(`${path}/${name}`, {
    method: 'PATCH',
    as: 'jane',
    body: patch,
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  expect(done.status, done.text).toBe(200);
  return done.body;
}

const short = (event: JsonObject | null) =>
  event === null ? null : `${textAt(event, 'type')} ${textAt(event, 'object', 'metadata', 'name')}`;
const versionOf = (object: JsonObject) => textAt(object, 'metadata', 'resourceVersion');

beforeAll(async () => {
  await api.newTenant('acme', { jane: 'editor', vic: 'viewer' });
  await create('first');
});

describe('a watch without resourceVersion', () => {
  it.each(['', '&resourceVersion=0'])('sends the current objects, then changes (%s)', async (query) => {
    const watch = await api.watch(`${path}?watch=1&fieldSelector=metadata.name=first${query}`, { as: 'vic' });
    expect(watch.contentType).toBe('application/json');
    expect(await watch.next()).toMatchObject({
      type: 'ADDED',
      object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'first' } },
    });
    const startMs = Date.now();
    const done = await merge('first', { data: { at: `${startMs}${query}` } });
    expect(await watch.next()).toMatchObject({ type: 'MODIFIED', object: { metadata: { resourceVersion: versionOf(done) } } });
    expect(Date.now() - startMs, 'woken by the notification, not by the poll').toBeLessThan(3_000);
    watch.close();
  });
});

describe('a watch from a version', () => {
  it('sends only what came after it, in order, deletion with a new version', async () => {
    const list = await api.ask(path, { as: 'vic' });
    await create('second');
    await merge('second', { data: { a: 'b' } });
    const gone = await api.ask(`${path}/second`, { method: 'DELETE', as: 'jane' });
    expect(gone).toMatchObject({
      status: 200,
      body: { kind: 'Status', status: 'Success', details: { name: 'second', kind: 'configmaps' } },
    });
    const watch = await api.watch(`${path}?watch=true&resourceVersion=${versionOf(list.body)}`, { as: 'vic' });
    const events = [await watch.next(), await watch.next(), await watch.next()];
    expect(events.map(short)).toEqual(['ADDED second', 'MODIFIED second', 'DELETED second']);
    const versions = events.map((event) => Number(at(event ?? {}, 'object', 'metadata', 'resourceVersion')));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
    watch.close();
  });

  it('older than the log gets one ERROR event with 410 and ends', async () => {
    await api.plane.ask('update weir.version_counter set log_floor = n - 1');
    const watch = await api.watch(`${path}?watch=1&resourceVersion=1`, { as: 'vic' });
    expect(watch.status).toBe(200);
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
    expect(await watch.next()).toBeNull();
  });

  it('in the future waits, and sends what comes after it', async () => {
    const now = Number(versionOf((await api.ask(path, { as: 'vic' })).body));
    const watch = await api.watch(`${path}?watch=1&resourceVersion=${now + 1}`, { as: 'vic' });
    await create(`skipped-${now}`);
    await create(`sent-${now}`);
    expect(short(await watch.next())).toBe(`ADDED sent-${now}`);
    watch.close();
  });
});

describe('WatchList', () => {
  it('ends the initial events with the bookmark that informers wait for', async () => {
    const watch = await api.watch(
      `${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name=first`,
      { as: 'vic' },
    );
    expect(short(await watch.next())).toBe('ADDED first');
    expect(await watch.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    watch.close();
  });

  it.each([
    ['sendInitialEvents=true', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
    [
      'sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1',
      'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ],
    [
      'resourceVersionMatch=NotOlderThan&resourceVersion=1',
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
  ])('refuses %s', async (query, message) => {
    const refused = await api.ask(`${path}?watch=1&${query}`, { as: 'vic' });
    expect(refused).toMatchObject({ status: 422, body: { reason: 'Invalid', details: { kind: 'ListOptions', group: 'meta.k8s.io' } } });
    expect(refused.body.message).toContain(message);
  });
});

describe('selectors', () => {
  it('turn a change of labels into ADDED and DELETED', async () => {
    await create('moving');
    const list = await api.ask(path, { as: 'vic' });
    const watch = await api.watch(`${path}?watch=1&labelSelector=tier%3Dapp&resourceVersion=${versionOf(list.body)}`, { as: 'vic' });
    await merge('moving', { metadata: { labels: { tier: 'app' } } });
    expect(short(await watch.next())).toBe('ADDED moving');
    const left = await merge('moving', { metadata: { labels: { tier: 'web' } } });
    const event = await watch.next();
    expect(event).toMatchObject({ type: 'DELETED', object: { metadata: { labels: { tier: 'app' }, resourceVersion: versionOf(left) } } });
    watch.close();
  });
});

describe('bookmarks and ends', () => {
  it('are sent now and then, and at the planned end', async () => {
    const watch = await api.watch(
      `${path}?watch=1&resourceVersion=0&allowWatchBookmarks=true&timeoutSeconds=2&fieldSelector=metadata.name=nobody`,
      { as: 'vic' },
    );
    const types: unknown[] = [];
    for (let event = await watch.next(); event !== null; event = await watch.next()) types.push(event.type);
    expect(types.length).toBeGreaterThanOrEqual(2);
    expect(new Set(types)).toEqual(new Set(['BOOKMARK']));
  });

  it('end within 5 s of a change of rights, with 410', async () => {
    await api.newTenant('other', { mia: 'viewer' });
    const watch = await api.watch('/api/v1/configmaps?watch=1', { as: 'mia' });
    await api.ask('/api/v1/namespaces', {
      method: 'POST',
      as: 'other-owner',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other-more' } },
    });
    expect(await watch.next()).toMatchObject({ type: 'ERROR', object: { code: 410 } });
    expect(await watch.next()).toBeNull();
  });

  it('end within 5 s when the right is gone', async () => {
    await api.newTenant('third', { leo: 'viewer' });
    const watch = await api.watch('/api/v1/namespaces/third/configmaps?watch=1', { as: 'leo' });
    const patched = await api.ask('/apis/weir.dev/v1/tenants/third', {
      method: 'PATCH',
      as: 'third-owner',
      body: { spec: { members: [{ subject: 'third-owner', role: 'admin' }] } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
    expect(patched.status, patched.text).toBe(200);
    expect(await watch.next()).toBeNull();
  });
});

describe('other forms', () => {
  it('Table: only the first event has columns', async () => {
    const watch = await api.watch(`${path}?watch=1&resourceVersion=0`, {
      as: 'vic',
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
    });
    const first = await watch.next();
    expect(first).toMatchObject({
      type: 'ADDED',
      object: { kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Data' }, { name: 'Age' }] },
    });
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { kind: 'Table', columnDefinitions: null } });
    watch.close();
  });

  it('metadata only, bookmarks too', async () => {
    const watch = await api.watch(`${path}?watch=1&allowWatchBookmarks=true&fieldSelector=metadata.name=first`, {
      as: 'vic',
      headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    });
    const first = await watch.next();
    expect(first).toMatchObject({
      type: 'ADDED',
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'first' } },
    });
    expect(Object.keys((first?.object ?? {}) as object)).not.toContain('data');
    expect(await watch.next()).toMatchObject({ type: 'BOOKMARK', object: { kind: 'PartialObjectMetadata' } });
    watch.close();
  });
});
