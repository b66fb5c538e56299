import { createGit } from '#adapters/git/git.ts';
import { createGitWriter } from '#adapters/git/write.ts';
import { imageTagsPort } from '#adapters/postgres/image-tags.ts';
import { hookDirectory, placesPort } from '#adapters/postgres/ports.ts';
import { turnsPort } from '#adapters/postgres/turns.ts';
import { setters } from '#adapters/setters/setters.ts';
import type { Capabilities, Need } from '#core/ports.ts';
import type { BindPorts } from '#core/reconcile/runtime.ts';
import { newSecretMask } from '#core/secret-mask.ts';
import type { WorkerAdapters } from './adapters.ts';
import { careFor } from './ports/care.ts';
import { chartsFor } from './ports/charts.ts';
import { clusterFor } from './ports/cluster.ts';
import { composeFor } from './ports/compose.ts';
import { helmFor } from './ports/helm.ts';
import { ownedFor } from './ports/owned.ts';
import { renderFor } from './ports/render.ts';
import { secretsFor } from './ports/secrets.ts';

/** A dead holder of a turn is overtaken after this. */
const TURN_MS = 15_000;

/**
 * Makes the ports that a kind named, bound to the run's tenant, cluster and account, and no others. The only place where a kind's needs meet adapters.
 */
export function bindPorts(adapters: WorkerAdapters): BindPorts {
  return async ({ scope, run, unit, runnable }) => {
    const mask = newSecretMask();
    const asking = { adapters, scope, run, unit, mask };
    const charts = chartsFor(adapters, scope);
    const makers: { [N in Need]: () => Capabilities[N] | Promise<Capabilities[N]> } = {
      lookup: () => adapters.store.lookup(scope, run.clusterId),
      secrets: () => secretsFor(adapters, scope, mask),
      git: () => createGit({ scope, clock: adapters.clock, ...adapters.git }, adapters.looks),
      artifacts: () => adapters.artifacts,
      bucket: () => adapters.bucket,
      charts: () => charts,
      compose: () => composeFor(adapters, scope),
      registry: () => adapters.registry,
      sigstore: () => adapters.sigstore,
      patterns: () => adapters.patterns,
      gitWriter: () =>
        createGitWriter({
          scope,
          clock: adapters.clock,
          ...adapters.git,
          turns: turnsPort(adapters.db, scope, TURN_MS),
          queues: adapters.writeQueues,
        }),
      setters: () => setters,
      pullRequests: () => adapters.pullRequests,
      wakes: () => ({ trigger: (uid: string, cause: string) => adapters.store.trigger(scope, uid, cause) }),
      imageTags: () => imageTagsPort(adapters.db, scope),
      render: () => renderFor(adapters, scope),
      helm: () => helmFor(asking),
      owned: () => ownedFor(adapters, scope, unit.definition),
      cluster: () => clusterFor(asking),
      inventory: () => adapters.store.inventory(scope, run),
      hooks: () => hookDirectory(adapters.db, scope, unit.definition.uid),
      care: () => careFor(adapters, scope, unit.definition),
      places: () => placesPort(adapters.db, scope),
    };
    const ports: Partial<Record<Need, unknown>> = {};
    for (const need of runnable.needs) ports[need] = await makers[need]();
    return { ports: ports as Partial<Capabilities>, mask: mask.text, dispose: () => charts.dispose() };
  };
}
