import { fieldChanges, type ObjectDiff } from '#core/diff.ts';
import { AppError } from '#core/errors.ts';
import type { Ctx } from '#core/kind.ts';
import { refOfId } from '#core/object-id.ts';
import { buildOf, type KustomizationObj, type Needs, namedObjects } from './observe.ts';
import { findSource } from './source.ts';
import { timeoutMs } from './times.ts';
import { unsupportedField } from './unsupported.ts';
import { variablesOf } from './variables.ts';

/**
 * What a Kustomization, as it is proposed, would change on one cluster: the same source, render and names as a run, then one dry run per object as the tenant.
 * Writes nothing. Throws what a run would throw; a source without artifact is buildFailed.
 */
export async function preview(ctx: Ctx<Needs>, obj: KustomizationObj): Promise<readonly ObjectDiff[]> {
  const { definition, spec } = obj;
  const unsupported = unsupportedField(spec);
  if (unsupported !== null) throw new AppError('buildFailed', unsupported);
  const source = await findSource(ctx.lookup, definition, spec.sourceRef);
  if (source.is !== 'artifact') throw new AppError('buildFailed', source.message);
  const substitution = await variablesOf(ctx, definition.namespace, spec, ctx.cluster.variables);
  const rendered = await ctx.render.render(
    { artifactDigest: source.digest, path: spec.path ?? '', build: buildOf(spec), substitution },
    { timeoutMs: timeoutMs(spec) },
    ctx.signal,
  );
  const desired = await namedObjects(ctx, obj, rendered);
  const diffs: ObjectDiff[] = [];
  for (const one of desired) {
    if (one.mode === 'Ignore') continue;
    const { live, after } = await ctx.cluster.preview(
      { id: one.id, ref: one.ref, manifest: one.manifest, recreate: false, mode: one.mode },
      ctx.signal,
    );
    const fields = fieldChanges(live, after);
    diffs.push({
      id: one.id,
      ref: one.ref,
      change: live === null ? 'added' : fields.length === 0 ? 'unchanged' : 'changed',
      fields: live === null ? [] : fields,
    });
  }
  return [...diffs, ...(await leaving(ctx, obj, new Set(desired.map((one) => one.id))))];
}

async function leaving(ctx: Ctx<Needs>, { spec }: KustomizationObj, wanted: ReadonlySet<string>): Promise<readonly ObjectDiff[]> {
  if (!spec.prune) return [];
  const inventory = await ctx.inventory.load();
  return inventory.flatMap((entry) => {
    const ref = refOfId(entry.id, entry.version);
    return wanted.has(entry.id) || ref === null ? [] : [{ id: entry.id, ref, change: 'removed' as const, fields: [] }];
  });
}
