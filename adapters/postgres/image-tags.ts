import type { ImageTags, StoredTags } from '#core/image/tags.ts';
import type { TenantScope } from '#core/tenant.ts';
import { textOf } from './rows.ts';
import type { TenantDb } from './tenant-db.ts';

/** Stored tags of the scope's tenant; every call is one transaction. */
export function imageTagsPort(db: TenantDb, scope: TenantScope): ImageTags {
  return Object.freeze({
    head: (repositoryUid: string) =>
      db.inTenant(
        scope,
        async (tx): Promise<Omit<StoredTags, 'tags'> | null> => {
          const [row] = await tx.query('select revision, listing from weir.image_tags where tenant_id = $1 and repository_uid = $2', [
            tx.tenantId,
            repositoryUid,
          ]);
          return row === undefined ? null : { revision: textOf(row, 'revision'), listing: textOf(row, 'listing') };
        },
        { readOnly: true },
      ),
    read: (repositoryUid: string) =>
      db.inTenant(
        scope,
        async (tx): Promise<StoredTags | null> => {
          const [row] = await tx.query('select revision, listing, tags from weir.image_tags where tenant_id = $1 and repository_uid = $2', [
            tx.tenantId,
            repositoryUid,
          ]);
          if (row === undefined) return null;
          const tags = textOf(row, 'tags');
          return { revision: textOf(row, 'revision'), listing: textOf(row, 'listing'), tags: tags === '' ? [] : tags.split('\n') };
        },
        { readOnly: true },
      ),
    write: (repositoryUid: string, { revision, listing, tags }: StoredTags) =>
      db.inTenant(scope, async (tx) => {
        await tx.run(
          `insert into weir.image_tags (tenant_id, repository_uid, revision, listing, tags) values ($1, $2, $3, $4, $5)
            on conflict (tenant_id, repository_uid) do update set revision = excluded.revision, listing = excluded.listing, tags = excluded.tags, stored_at = clock_timestamp()`,
          [tx.tenantId, repositoryUid, revision, listing, tags.join('\n')],
        );
      }),
    remove: (repositoryUid: string) =>
      db.inTenant(scope, async (tx) => {
        await tx.run('delete from weir.image_tags where tenant_id = $1 and repository_uid = $2', [tx.tenantId, repositoryUid]);
      }),
  } satisfies ImageTags);
}
