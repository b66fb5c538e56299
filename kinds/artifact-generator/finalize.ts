import type { Ctx, Judged } from '#core/kind.ts';
import type { ArtifactGeneratorNeed, ArtifactGeneratorObj } from './observe.ts';
import { GENERATOR_LABEL, ownLabels } from './result.ts';
import type { ArtifactGeneratorStatus } from './schema.ts';

/** Takes away every ExternalArtifact of the generator; the artifact store collects what no status names any more. */
export async function finalize(
  ctx: Ctx<ArtifactGeneratorNeed>,
  { definition }: ArtifactGeneratorObj,
): Promise<Judged<typeof ArtifactGeneratorStatus>> {
  for (const one of await ctx.lookup.list('ExternalArtifact', definition.namespace))
    if (one.labels[GENERATOR_LABEL] === definition.uid)
      await ctx.owned.remove({ kind: one.kind, namespace: one.namespace, name: one.name }, ownLabels(definition));
  return { is: 'ready', reason: 'Succeeded', message: 'its artifacts are gone', revision: '' };
}
