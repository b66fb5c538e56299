import { readTar } from '#adapters/blob/read-tar.ts';
import { createCompose } from '#adapters/compose/compose.ts';
import { parseYaml } from '#adapters/kustomize/off-thread.ts';
import { artifactOwned } from '#adapters/postgres/artifacts.ts';
import type { Compose } from '#core/compose.ts';
import { AppError } from '#core/errors.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

/** Composing for one run. Stored content is read only when one of this tenant's own sources brought it (threats B2). */
export function composeFor({ db, artifacts, composeDir }: WorkerAdapters, scope: TenantScope): Compose {
  const index = async (digest: string) => {
    if (!(await db.inTenant(scope, (tx) => artifactOwned(tx, digest))))
      throw new AppError('unavailable', 'the artifact is not there any more: the source has to be fetched again');
    return artifacts.index(digest);
  };
  return createCompose({
    store: {
      index,
      unpackTo: (...args) => artifacts.unpackTo(...args),
      putFiles: (...args) => artifacts.putFiles(...args),
    },
    workDir: composeDir,
    readTar,
    parseYaml,
  });
}
