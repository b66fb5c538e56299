import { AppError } from '#core/errors.ts';
import type { Ctx, Shown } from '#core/kind.ts';
import type { Artifact } from '#core/ports.ts';
import { rfc3339 } from '#core/time.ts';
import type { Act } from './decide.ts';
import type { ArtifactGeneratorNeed, ArtifactGeneratorObj } from './observe.ts';
import { ownLabels, resultOf } from './result.ts';
import type { ArtifactGeneratorStatus } from './schema.ts';

type Shows = Shown<typeof ArtifactGeneratorStatus>;
type Made = NonNullable<ArtifactGeneratorStatus['outputs']>[number];

/** Builds all outputs, or writes the ExternalArtifacts and takes away those that left the spec. Idempotent. Throws AppError buildFailed naming output and rule; the last artifacts stay. */
export async function act(ctx: Ctx<ArtifactGeneratorNeed>, obj: ArtifactGeneratorObj, action: Act): Promise<Shows> {
  switch (action.do) {
    case 'build':
      return build(ctx, obj, action);
    case 'publish':
      return publish(ctx, obj, action);
  }
}

async function build(ctx: Ctx<ArtifactGeneratorNeed>, obj: ArtifactGeneratorObj, action: Extract<Act, { do: 'build' }>): Promise<Shows> {
  const { definition } = obj;
  const composed = await ctx.compose.build(action.sources, action.outputs, ctx.signal);
  const outputs: Made[] = [];
  for (const [index, { name }] of action.outputs.entries()) {
    const one = composed[index];
    if (one === undefined || one.is === 'refused')
      throw new AppError('buildFailed', `${name} build failed: ${one?.message ?? 'nothing was made'}`);
    outputs.push(madeOf(ctx, obj, action, name, one.artifact));
  }
  return {
    status: {
      outputs,
      inventory: outputs.map(({ name, digest }) => ({
        name,
        namespace: definition.namespace,
        digest,
        filename: `${digest.slice(digest.indexOf(':') + 1)}.tar.gz`,
      })),
      observedSourcesDigest: action.sourcesDigest,
      inputDigest: action.inputDigest,
    },
    revision: action.sourcesDigest,
  };
}

/** What is unchanged keeps its time, so that whoever uses it sees no change. */
function madeOf(
  ctx: Ctx<ArtifactGeneratorNeed>,
  { spec, status }: ArtifactGeneratorObj,
  { sources }: Extract<Act, { do: 'build' }>,
  name: string,
  artifact: Artifact,
): Made {
  const wanted = spec.artifacts.find((one) => one.name === name);
  const find = (alias: string | undefined) => (alias === undefined ? undefined : sources.find((one) => one.alias === alias.slice(1)));
  const revision = find(wanted?.revision)?.revision ?? `latest@${artifact.digest}`;
  const originRevision = find(wanted?.originRevision)?.originRevision ?? null;
  const before = status?.outputs?.find((one) => one.name === name);
  const isSame = before?.digest === artifact.digest && before.revision === revision;
  return {
    name,
    digest: artifact.digest,
    revision,
    size: artifact.sizeBytes,
    lastUpdateTime: isSame ? before.lastUpdateTime : rfc3339(ctx.nowMs()),
    ...(originRevision === null ? {} : { originRevision }),
  };
}

async function publish(
  ctx: Ctx<ArtifactGeneratorNeed>,
  { definition, spec }: ArtifactGeneratorObj,
  { names, orphans }: Extract<Act, { do: 'publish' }>,
): Promise<Shows> {
  for (const name of names) await ctx.owned.ensure(resultOf(definition, spec, name));
  for (const name of orphans)
    await ctx.owned.remove({ kind: 'ExternalArtifact', namespace: definition.namespace, name }, ownLabels(definition));
  return {};
}
