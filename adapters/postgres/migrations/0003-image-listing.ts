import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The registry's answer by its digest, beside the tags that were read from it: the same answer need not be read again. Expand only: empty for a row of before. */
export const imageListing: Migration = {
  async up(db) {
    await sql`alter table weir.image_tags add column listing text not null default ''`.execute(db);
  },
};
