import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { asSuperuser } from '#tests/attacks/two-tenants.ts';
import type { SharedAttackPlane } from '#tests/harness/attack-plane.ts';

/** What lies in the stores of a plane, as somebody sees it who has got hold of them. */

export type Found = Readonly<{ where: string; content: Buffer }>;

const MAX_FILE_BYTES = 128 * 1024 * 1024;

/** Every row of every table as text. */
export async function postgresRows(plane: SharedAttackPlane): Promise<readonly Found[]> {
  return asSuperuser(plane, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    const found: Found[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
      found.push({ where: `table ${name}`, content: Buffer.from(rows.map((row) => row.text).join('\n')) });
    }
    return found;
  });
}

/** Every key of Redis with what it holds, by type. */
export async function redisKeys(plane: SharedAttackPlane): Promise<readonly Found[]> {
  const redis = new Redis(plane.redisUrl, { maxRetriesPerRequest: 1 });
  try {
    const found: Found[] = [];
    for (let cursor = '0'; ; ) {
      const [next, keys] = await redis.scan(cursor, 'COUNT', 1_000);
      for (const key of keys)
        found.push({ where: `redis ${key}`, content: Buffer.from(`${key} ${JSON.stringify(await valueOf(redis, key))}`) });
      cursor = next;
      if (cursor === '0') return found;
    }
  } finally {
    redis.disconnect();
  }
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`a key of Redis of type ${type}`);
  }
}

/** Every regular file below a folder; what goes away meanwhile is left out. */
export async function* filesBelow(dir: string): AsyncGenerator<Found> {
  const entries: readonly Dirent[] = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) {
      const content = await readFile(path).catch(() => null);
      if (content === null) continue;
      if (content.length > MAX_FILE_BYTES) throw new Error(`${path} is too large to be searched`);
      yield { where: path, content };
      if (content[0] === 0x1f && content[1] === 0x8b)
        yield { where: `${path} (unpacked)`, content: gunzipSync(content, { maxOutputLength: MAX_FILE_BYTES }) };
    }
  }
}
