import { artifactOwned } from '#adapters/postgres/artifacts.ts';
import { AppError } from '#core/errors.ts';
import type { Render } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import type { WorkerAdapters } from '../adapters.ts';

/** Rendering of artifacts that this tenant's own sources brought: content is shared between tenants only after each one's access was proven. */
export function renderFor({ db, renderFor: make }: WorkerAdapters, scope: TenantScope): Render {
  const render = make(scope);
  return Object.freeze({
    render: async (input: Parameters<Render['render']>[0], limits: Parameters<Render['render']>[1], signal: AbortSignal) => {
      const owned = await db.inTenant(scope, (tx) => artifactOwned(tx, input.artifactDigest));
      if (!owned) throw new AppError('buildFailed', 'the artifact is not there any more: the source has to be fetched again');
      return render.render(input, limits, signal);
    },
  });
}
