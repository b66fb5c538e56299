import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { tenantToken } from '#adapters/kube/credential.ts';
import type { ResourceType } from '#adapters/kube/paths.ts';
import type { Pool } from '#adapters/kube/pool.ts';
import { createSession } from '#adapters/kube/session.ts';
import { type MetaEntry, metaEntry } from '#adapters/kube/watch/entries.ts';
import { startWatcher, type Watcher } from '#adapters/kube/watch/watcher.ts';
import type { JsonObject } from '#core/json.ts';
import { silentLog } from '#core/log.ts';
import { systemClock } from '#core/time.ts';
import { type Hostile, json, poolFor, startHostile } from '#tests/cluster/hostile.ts';
import { until } from '#tests/cluster/tenant.ts';

/** Watches against a server that lists and watches what the test says: the faults that a real API server shows only now and then (fault 20). */
const type: ResourceType = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  verbs: ['list', 'watch'],
};
const open: { hostile: Hostile | null; pool: Pool | null; watcher: Watcher<MetaEntry> | null } = {
  hostile: null,
  pool: null,
  watcher: null,
};
afterEach(async () => {
  open.watcher?.close();
  await open.pool?.close();
  await open.hostile?.close();
});

const uid = randomUUID();
function object(name: string, resourceVersion: number, labels: JsonObject = { 'weir.dev/delivery': 'd' }): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n', uid, resourceVersion: String(resourceVersion), labels } };
}
function event(type: string, one: unknown): string {
  return `${JSON.stringify({ type, object: one })}\n`;
}
type World = {
  list: readonly JsonObject[];
  version: number;
  onWatch(response: ServerResponse, from: string, count: number): void;
  lists: number;
  watches: string[];
};

async function start(
  world: World,
  silenceMs = 60_000,
  tokenLifeMs = 3_600_000,
): Promise<Readonly<{ watcher: Watcher<MetaEntry>; told: string[] }>> {
  open.hostile = await startHostile((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'https://x');
    if (url.searchParams.get('watch') !== 'true') {
      world.lists += 1;
      json(response, 200, { kind: 'PartialObjectMetadataList', metadata: { resourceVersion: String(world.version) }, items: world.list });
      return;
    }
    const from = url.searchParams.get('resourceVersion') ?? '';
    world.watches.push(from);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    world.onWatch(response, from, world.watches.length);
  });
  open.pool = poolFor(open.hostile);
  const token = tenantToken('tester', 'token-of-a-tester-0', Date.now() + tokenLifeMs);
  const session = createSession(open.pool, 'hostile', {
    account: 'tester',
    nextStep: 'do nothing',
    get: async () => token,
    refused: () => false,
  });
  const told: string[] = [];
  const watcher = startWatcher<MetaEntry>({
    collection: { session, type, namespace: 'n', selector: 'weir.dev/delivery', full: false },
    clock: systemClock,
    log: silentLog,
    silenceMs,
    project: metaEntry,
    onChanged: (change, entry) => void told.push(`${change} ${entry.name} ${entry.resourceVersion}`),
    onLeft: (entry) => void told.push(`LEFT ${entry.name}`),
  });
  open.watcher = watcher;
  await watcher.ready(AbortSignal.timeout(5_000));
  return { watcher, told };
}
const world = (more: Partial<World> = {}): World => ({
  list: [object('a', 5), object('b', 6)],
  version: 10,
  onWatch: () => undefined,
  lists: 0,
  watches: [],
  ...more,
});

test('a 410 leads to a new list; what changed in between is told, and nothing else', async () => {
  const w = world({
    onWatch: (response, _from, count) => {
      if (count > 1) return;
      w.list = [object('a', 5), object('b', 20), object('c', 21)];
      w.version = 30;
      response.write(event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }));
    },
  });
  const { told } = await start(w);
  await until(() => w.watches.length === 2);
  expect(w.lists).toBe(2);
  expect(w.watches).toEqual(['10', '30']);
  expect(told.toSorted()).toEqual(['ADDED c 21', 'MODIFIED b 20']);
});

test('a cut stream leads to a new list; an object that is not in it is only said to have left', async () => {
  const w = world({
    onWatch: (response, _from, count) => {
      if (count > 1) return;
      w.list = [object('a', 5)];
      response.write('{"type":"MODIFIED","obj');
      setTimeout(() => response.destroy(), 20);
    },
  });
  const { watcher, told } = await start(w);
  await until(() => w.watches.length === 2);
  expect(told).toEqual(['LEFT b']);
  // It is verified by a GET before it is believed; until then it is known.
  expect(watcher.get('b')?.name).toBe('b');
});

test('a watch that the server ends in time goes on from the last version, bookmarks included, without a list', async () => {
  const w = world({
    onWatch: (response, _from, count) => {
      if (count > 1) return;
      response.write(event('MODIFIED', object('a', 11)));
      response.write(event('BOOKMARK', { metadata: { resourceVersion: '99' } }));
      setTimeout(() => response.end(), 1_100);
    },
  });
  const { told } = await start(w);
  await until(() => w.watches.length === 2);
  expect(w.watches).toEqual(['10', '99']);
  expect(w.lists).toBe(1);
  expect(told).toEqual(['MODIFIED a 11']);
});

test('a silent stream is dead after the watchdog’s time', async () => {
  const w = world();
  await start(w, 300);
  await until(() => w.watches.length >= 2, 10_000);
  expect(w.lists).toBeGreaterThanOrEqual(2);
});

test('an event that is older than what is known is dropped', async () => {
  const w = world({
    onWatch: (response, _from, count) =>
      void (
        count === 1 &&
        response.write(event('MODIFIED', object('b', 3)) + event('MODIFIED', object('b', 6)) + event('MODIFIED', object('b', 12)))
      ),
  });
  const { told } = await start(w);
  await until(() => told.length > 0);
  expect(told).toEqual(['MODIFIED b 12']);
});

test('an endless line ends the watch before it fills the memory', async () => {
  const w = world({
    onWatch: (response) => {
      const timer = setInterval(() => response.write('x'.repeat(256 * 1024)), 1);
      response.on('close', () => clearInterval(timer));
    },
  });
  const before = process.memoryUsage().rss;
  await start(w);
  await until(() => w.watches.length >= 2, 20_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test('a server that ends each watch at once is asked with growing pauses', async () => {
  const w = world({ onWatch: (response) => void response.end() });
  await start(w);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect(w.watches.length).toBeLessThan(10);
});

test('a list that is cut or no list is never an empty list', async () => {
  const w = world();
  const { watcher, told } = await start(w, 200);
  w.list = { not: 'a list' } as unknown as readonly JsonObject[];
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(told).toEqual([]);
  expect(watcher.get('a')?.name).toBe('a');
  expect(watcher.isSynced()).toBe(false);
});

test('F7: a watch is opened anew before its token expires', async () => {
  const w = world();
  // Half a minute is kept in hand.
  await start(w, 60_000, 31_500);
  await until(() => w.watches.length >= 2, 10_000);
});
