import { createHash } from 'node:crypto';
import type { ComposeOutput } from '#core/compose.ts';
import { REQUESTED_AT } from '#core/consequences.ts';
import { at, canonicalJson, type Json } from '#core/json.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import type { StoredObject } from '#core/store.ts';
import { planOf } from './plan.ts';
import { GENERATOR_LABEL, resultOf } from './result.ts';
import type { ArtifactGeneratorSpec, ArtifactGeneratorStatus } from './schema.ts';
import { type FoundSource, findSources } from './sources.ts';

export type ArtifactGeneratorObj = Obj<'definition', typeof ArtifactGeneratorSpec, typeof ArtifactGeneratorStatus>;
export type ArtifactGeneratorNeed = 'lookup' | 'artifacts' | 'compose' | 'owned';
export type Blocker = 'disabled' | 'unsupported' | 'invalid' | 'foreign' | 'missing' | 'noArtifact';

export type Seen =
  | Readonly<{ at: Blocker; message: string }>
  | Readonly<{
      at: 'sources';
      sources: readonly FoundSource[];
      outputs: readonly ComposeOutput[];
      sourcesDigest: string;
      inputDigest: string;
      /** The outputs of the status are of this input, and all of them are in storage. */
      isBuilt: boolean;
      /** Results that are missing, or are not as they should be. */
      unpublished: readonly string[];
      /** Results of this generator that the spec no longer names. */
      orphans: readonly string[];
    }>;

const SWITCH = 'source.extensions.fluxcd.io/reconcile';

/** Reads only: the sources' artifacts, what was built before, and the ExternalArtifacts. */
export async function observe(ctx: Ctx<ArtifactGeneratorNeed>, obj: ArtifactGeneratorObj): Promise<Seen> {
  const { definition, spec, status } = obj;
  if (definition.annotations[SWITCH]?.toLowerCase() === 'disabled')
    return { at: 'disabled', message: `Reconciliation is disabled by the annotation ${SWITCH}` };
  if (spec.pathPattern !== undefined)
    return { at: 'unsupported', message: 'spec.pathPattern is not served by this release: name each artifact in spec.artifacts' };
  const plan = planOf(spec);
  if ('problem' in plan) return { at: 'invalid', message: plan.problem };
  const found = await findSources(ctx.lookup, definition, spec);
  if (found.is !== 'found') return { at: found.is, message: found.message };
  const results = await existing(ctx, definition);
  const foreign = plan.outputs.find(({ name }) => results.foreign.has(name));
  if (foreign !== undefined)
    return {
      at: 'invalid',
      message: `ExternalArtifact ${definition.namespace}/${foreign.name} exists and is not of this generator: choose another name`,
    };
  const sourcesDigest = digestOf(found.sources.map(({ alias, digest, revision }) => [alias, digest, revision]));
  const inputDigest = digestOf([sourcesDigest, found.sources.map((one) => one.originRevision), [...spec.artifacts]]);
  const names = plan.outputs.map((one) => one.name);
  return {
    at: 'sources',
    sources: found.sources,
    outputs: plan.outputs,
    sourcesDigest,
    inputDigest,
    isBuilt: await isBuilt(ctx, obj, inputDigest, names),
    unpublished: names.filter((name) => !isAsWanted(results.own.get(name), definition, spec, name)),
    orphans: [...new Set([...results.own.keys(), ...(status?.inventory ?? []).map((one) => one.name)])].filter(
      (name) => !names.includes(name) && results.own.has(name),
    ),
  };
}

/** ExternalArtifacts of the namespace: this generator's own, and the names of all others. */
async function existing({ lookup }: Pick<Ctx<ArtifactGeneratorNeed>, 'lookup'>, definition: StoredObject) {
  const own = new Map<string, StoredObject>();
  const foreign = new Set<string>();
  for (const one of await lookup.list('ExternalArtifact', definition.namespace)) {
    if (one.labels[GENERATOR_LABEL] === definition.uid) own.set(one.name, one);
    // Its labels were taken away, but it still says whose it is: it is made right again.
    else if (at(one.body, 'spec', 'sourceRef', 'name') === definition.name && at(one.body, 'spec', 'sourceRef', 'kind') === definition.kind)
      continue;
    else foreign.add(one.name);
  }
  return { own, foreign };
}

async function isBuilt(
  ctx: Ctx<ArtifactGeneratorNeed>,
  { definition, status }: ArtifactGeneratorObj,
  inputDigest: string,
  names: readonly string[],
) {
  const outputs = status?.outputs ?? [];
  const asked = definition.annotations[REQUESTED_AT];
  if (status?.inputDigest !== inputDigest || outputs.length !== names.length) return false;
  if (asked !== undefined && asked !== status.lastHandledReconcileAt) return false;
  for (const name of names) {
    const output = outputs.find((one) => one.name === name);
    if (output === undefined || !(await ctx.artifacts.has(output.digest))) return false;
  }
  return true;
}

function isAsWanted(found: StoredObject | undefined, definition: StoredObject, spec: ArtifactGeneratorSpec, name: string): boolean {
  if (found === undefined || found.deletingAtMs !== null) return false;
  const wanted = resultOf(definition, spec, name);
  const isWithin = (want: Readonly<Record<string, string>>, has: Readonly<Record<string, string>>) =>
    Object.entries(want).every(([key, value]) => has[key] === value);
  return (
    canonicalJson(at(found.body, 'spec') ?? null) === canonicalJson(wanted.spec) &&
    isWithin(wanted.labels, found.labels) &&
    isWithin(wanted.annotations, found.annotations)
  );
}

function digestOf(value: Json): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
