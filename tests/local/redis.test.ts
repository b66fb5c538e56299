import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { type RedisServer, startRedis } from '#deploy/local/redis.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren();
const dir = useTemporaryDir();

async function open(): Promise<RedisServer> {
  const { redis } = await loadToolPaths({ only: ['redis'] });
  if (redis === null) throw new Error('this machine has no Redis; the set-up step says what to do');
  return startRedis(children, { dir: dir(), program: redis });
}

async function withClient<Result>(url: string, use: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(url, { retryStrategy: () => null, lazyConnect: true });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

test('it keeps what it is given while it lives, evicts nothing, and is empty after a crash', async () => {
  await using server = await open();
  await withClient(server.url, async (client) => {
    expect(await client.set('a', '1')).toBe('OK');
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  });
  await server.kill();
  await expect(withClient(server.url, (client) => client.get('a'))).rejects.toThrow();
  await server.start();
  expect(await withClient(server.url, (client) => client.get('a'))).toBeNull();
  await server.stop();
  expect((await readdir(dir())).filter((name) => name.endsWith('.rdb') || name.startsWith('appendonly'))).toEqual([]);
});

test('it refuses who has no password, and the password is in no argument list', async () => {
  await using server = await open();
  const socket = connect({ host: server.host, port: server.port });
  socket.write('PING\r\n');
  const [answer] = await once(socket, 'data');
  socket.destroy();
  expect(String(answer)).toMatch(/^-NOAUTH/);
  const argv = await readFile(`/proc/${server.pid()}/cmdline`, 'utf8');
  expect(argv).toContain('redis');
  expect(argv).not.toContain(new URL(server.url).password);
});
