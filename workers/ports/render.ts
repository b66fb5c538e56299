import { artifactOwned } from '#adapters/postgres/artifacts.ts';
import { digestKey } from '#adapters/postgres/digest-key.ts';
import { AppError } from '#core/errors.ts';
import type { Render } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

/**
 * Rendering of artifacts that this tenant's own sources brought: content is shared between tenants only after each one's access was proven. Digests leave it keyed with the tenant's key: they stand in
 * status and ledger, where a plain one of content with substituted secret values would let every viewer test guesses. Caches keep their own plain keys, which leave the process nowhere.
 */
export function renderFor({ db, keys, renderFor: make }: Pick<WorkerAdapters, 'db' | 'keys' | 'renderFor'>, scope: TenantScope): Render {
  const render = make(scope);
  return Object.freeze({
    render: async (input: Parameters<Render['render']>[0], limits: Parameters<Render['render']>[1], signal: AbortSignal) => {
      const key = await db.inTenant(scope, async (tx) =>
        (await artifactOwned(tx, input.artifactDigest)) ? await digestKey(tx, keys) : null,
      );
      if (key === null) throw new AppError('buildFailed', 'the artifact is not there any more: the source has to be fetched again');
      const rendered = await render.render(input, limits, signal);
      return { ...rendered, digest: key.keyed(rendered.digest), inputDigest: key.keyed(rendered.inputDigest) };
    },
  });
}
