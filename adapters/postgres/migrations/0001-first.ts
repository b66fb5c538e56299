import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { access } from './0001-access.ts';
import { objectTables } from './0001-objects.ts';
import { tenancyTables } from './0001-tenancy.ts';
import { workTables } from './0001-work.ts';

/** The first schema. Released: changed only by a later migration. */
export const first: Migration = Object.freeze<Migration>({
  up: async (db) => {
    for (const part of [objectTables, workTables, tenancyTables, access]) await sql.raw(part).execute(db);
  },
});
