import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

test('a library is imported by its adapter alone', async () => {
  const flagged = await pathsFlagged('weir(library-home)', {
    'workers/source/bad.ts': "import { Queue } from 'bullmq';\nexport const queue = new Queue('a');",
    'workers/source/bad-type.ts': "import type { Pool } from 'pg';\nexport type Mine = Pool;",
    'adapters/redis/bad.ts': "import { sql } from 'kysely';\nexport const one = sql`select 1`;",
    'services/api/bad-later.ts': "export const load = (): Promise<unknown> => import('ioredis');",
    'services/api/bad-passed-on.ts': "export { Pool } from 'pg';",
    'core/bad-deep.ts': "import type { Migrator } from 'kysely/migration';\nexport type Mine = Migrator;",
    'adapters/redis/queue.ts': "import { Queue } from 'bullmq';\nexport const queue = new Queue('a');",
    'adapters/postgres/tenant-db.ts': "import { Pool } from 'pg';\nexport const pool = new Pool();",
    'deploy/local/database.ts': "import { Pool } from 'pg';\nexport const pool = new Pool();",
    'tests/tenancy/rows.test.ts': "import { Client } from 'pg';\nexport const client = new Client();",
    'core/good.ts': "import { Type } from 'typebox';\nexport const name = Type.String();",
  });
  expect(flagged).toEqual([
    'adapters/redis/bad.ts',
    'core/bad-deep.ts',
    'services/api/bad-later.ts',
    'services/api/bad-passed-on.ts',
    'workers/source/bad-type.ts',
    'workers/source/bad.ts',
  ]);
});
