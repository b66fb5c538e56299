import type { ImageTags, StoredTags } from '#core/image/tags.ts';
import type { TenantScope } from '#core/tenant.ts';
import { textOf } from './rows.ts';
import type { TenantDb } from './tenant-db.ts';

/** Stored tags of the scope's tenant; every call is one transaction. */
export function imageTagsPort(db: TenantDb, scope: TenantScope): ImageTags {
  return Object.freeze({
    has: (repositoryUid: string, revision: string) =>
      db.inTenant(
        scope,
        async (tx) =>
          (
            await tx.query('select 1 from weir.image_tags where tenant_id = $1 and repository_uid = $2 and revision = $3', [
              tx.tenantId,
              repositoryUid,
              revision,
            ])
          ).length === 1,
        { readOnly: true },
      ),
    read: (repositoryUid: string) =>
      db.inTenant(
        scope,
        async (tx): Promise<StoredTags | null> => {
          const [row] = await tx.query('select revision, tags from weir.image_tags where tenant_id = $1 and repository_uid = $2', [
            tx.tenantId,
            repositoryUid,
          ]);
          if (row === undefined) return null;
          const tags = textOf(row, 'tags');
          return { revision: textOf(row, 'revision'), tags: tags === '' ? [] : tags.split('\n') };
        },
        { readOnly: true },
      ),
    write: (repositoryUid: string, { revision, tags }: StoredTags) =>
      db.inTenant(scope, async (tx) => {
        await tx.run(
          `insert into weir.image_tags (tenant_id, repository_uid, revision, tags) values ($1, $2, $3, $4)
            on conflict (tenant_id, repository_uid) do update set revision = excluded.revision, tags = excluded.tags, stored_at = clock_timestamp()`,
          [tx.tenantId, repositoryUid, revision, tags.join('\n')],
        );
      }),
    remove: (repositoryUid: string) =>
      db.inTenant(scope, async (tx) => {
        await tx.run('delete from weir.image_tags where tenant_id = $1 and repository_uid = $2', [tx.tenantId, repositoryUid]);
      }),
  } satisfies ImageTags);
}
