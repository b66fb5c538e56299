import { at, isObject, textAt } from '#core/json.ts';
import type { Ctx, Obj } from '#core/kind.ts';
import { artifactPath } from './path.ts';
import type { ExternalArtifactSpec, ExternalArtifactStatus } from './schema.ts';

export type ExternalArtifactObj = Obj<'definition', typeof ExternalArtifactSpec, typeof ExternalArtifactStatus>;
export type ExternalArtifactNeed = 'lookup';
type Output = Omit<NonNullable<ExternalArtifactStatus['artifact']>, 'path' | 'url'> & Readonly<{ path: string; url: string }>;

export type Seen = Readonly<{ at: 'foreign' | 'unsupported' | 'waiting'; message: string }> | Readonly<{ at: 'made'; artifact: Output }>;

/** What its maker's status says of it. Only the plane writes that status, so a digest in it is one that this tenant's own sources led to. */
export async function observe(ctx: Ctx<ExternalArtifactNeed>, { definition, spec }: ExternalArtifactObj): Promise<Seen> {
  const ref = spec.sourceRef;
  if (ref === undefined || ref.kind !== 'ArtifactGenerator')
    return {
      at: 'unsupported',
      message: 'spec.sourceRef must name an ArtifactGenerator: artifacts of other makers are not served by this release',
    };
  const namespace = ref.namespace ?? definition.namespace;
  const shown = `ArtifactGenerator ${namespace}/${ref.name}`;
  if (namespace !== definition.namespace)
    return { at: 'foreign', message: `can't access '${shown}': its artifacts are in its own namespace` };
  const maker = await ctx.lookup.get({ kind: ref.kind, namespace, name: ref.name });
  if (maker === null) return { at: 'waiting', message: `${shown} not found: create it, or delete this object` };
  const outputs = at(maker.status ?? {}, 'outputs');
  const output = (Array.isArray(outputs) ? outputs : []).filter(isObject).find((one) => one['name'] === definition.name);
  const digest = textAt(output, 'digest');
  const revision = textAt(output, 'revision');
  const lastUpdateTime = textAt(output, 'lastUpdateTime');
  if (digest === undefined || revision === undefined || lastUpdateTime === undefined)
    return { at: 'waiting', message: `${shown} has not made it yet; see its conditions` };
  const size = at(output, 'size');
  const origin = textAt(output, 'originRevision');
  const path = artifactPath(definition, digest);
  return {
    at: 'made',
    artifact: {
      digest,
      revision,
      path,
      // The plane hands artifacts to its own workers by digest; there is no file server, hence no http address.
      url: `weir:${path}`,
      lastUpdateTime,
      ...(typeof size === 'number' ? { size } : {}),
      ...(origin === undefined ? {} : { metadata: { 'org.opencontainers.image.revision': origin } }),
    },
  };
}
