import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const tenant = `tenant_id = nullif(current_setting('app.tenant', true), '')::uuid`;

/** Tags of image repositories, one row each: scans write it, policies read it. Tags are joined by line breaks, which no tag holds. */
const table = `
create table weir.image_tags (
  tenant_id uuid not null,
  repository_uid uuid not null,
  revision text collate "C" not null,
  tags text not null,
  stored_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, repository_uid)
);
alter table weir.image_tags enable row level security;
alter table weir.image_tags force row level security;
create policy tenant on weir.image_tags as restrictive for all to weir_app using (${tenant}) with check (${tenant});
create policy app on weir.image_tags for all to weir_app using (true) with check (true);
grant select, insert, update, delete on weir.image_tags to weir_app;
`;

export const imageTags: Migration = Object.freeze<Migration>({
  up: async (db) => {
    await sql.raw(table).execute(db);
  },
});
