import { at, type JsonObject, textAt } from '#core/json.ts';
import { refOfId } from '#core/object-id.ts';
import { objects } from '#services/cli/plane/resources.ts';
import { oneLine } from '#services/cli/term/strip.ts';
import { conditionOf } from '#services/cli/wait/not-ready.ts';

/** What is looked for. A null namespace or cluster means any. */
export type Sought = Readonly<{ kind: string; name: string; namespace: string | null; cluster: string | null }>;

type Place = Readonly<{ kind: string; namespace: string; name: string; ready: string; reason: string; message: string }>;

/** An object and the delivery that brought it. `object` is null when a definition itself was asked about. */
type Owner = Readonly<{ object: string | null; cluster: string; revision: string; digest: string; definition: Place }>;

/** The whole chain. `source` is null when it is not there any more, or not to be seen. */
export type Traced = Owner & Readonly<{ source: (Place & Readonly<{ url: string; revision: string; artifactDigest: string }>) | null }>;

type Get = (apiVersion: string, kind: string, namespace: string, name: string) => Promise<JsonObject | null>;

const FLUX = 'kustomize.toolkit.fluxcd.io/v1';
const SOURCES = 'source.toolkit.fluxcd.io/v1';

/** Deliveries whose inventory holds the object, or that belong to the named definition. Kinds compare without case. Pure. */
export function ownersOf(deliveries: readonly JsonObject[], sought: Sought): readonly Owner[] {
  const kind = sought.kind.toLowerCase();
  return deliveries.flatMap((delivery) => {
    const cluster = textAt(delivery, 'spec', 'cluster', 'name') ?? '';
    if (sought.cluster !== null && sought.cluster !== cluster) return [];
    const definition = textAt(delivery, 'spec', 'definition', 'kind') ?? '';
    if (definition.toLowerCase() === kind && textAt(delivery, 'spec', 'definition', 'name') === sought.name)
      return [ownerOf(delivery, cluster, null)];
    return objects(at(delivery, 'status', 'inventory', 'entries')).flatMap((entry) => {
      const ref = refOfId(textAt(entry, 'id') ?? '', textAt(entry, 'v') ?? '');
      if (ref === null || ref.kind.toLowerCase() !== kind || ref.name !== sought.name) return [];
      if (sought.namespace !== null && sought.namespace !== ref.namespace) return [];
      return [ownerOf(delivery, cluster, `${ref.kind}/${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name}`)];
    });
  });
}

function ownerOf(delivery: JsonObject, cluster: string, object: string | null): Owner {
  return {
    object,
    cluster: `${textAt(delivery, 'spec', 'cluster', 'namespace') ?? ''}/${cluster}`,
    revision: textAt(delivery, 'status', 'lastAppliedRevision') ?? '',
    digest: textAt(delivery, 'status', 'renderDigest') ?? '',
    definition: {
      kind: textAt(delivery, 'spec', 'definition', 'kind') ?? '',
      namespace: textAt(delivery, 'metadata', 'namespace') ?? '',
      name: textAt(delivery, 'spec', 'definition', 'name') ?? '',
      ...readiness(delivery),
    },
  };
}

/** Adds the source of the definition as it is now. */
export async function withSource(owner: Owner, get: Get): Promise<Traced> {
  const { kind, namespace, name } = owner.definition;
  const definition = await get(FLUX, kind, namespace, name);
  const ref = definition === null ? undefined : at(definition, 'spec', 'sourceRef');
  const sourceKind = textAt(ref, 'kind');
  const sourceName = textAt(ref, 'name');
  if (sourceKind === undefined || sourceName === undefined) return { ...owner, source: null };
  const place = textAt(ref, 'namespace') ?? namespace;
  const source = await get(textAt(ref, 'apiVersion') ?? SOURCES, sourceKind, place, sourceName);
  if (source === null) return { ...owner, source: null };
  return {
    ...owner,
    source: {
      kind: sourceKind,
      namespace: place,
      name: sourceName,
      url: textAt(source, 'spec', 'url') ?? '',
      revision: textAt(source, 'status', 'artifact', 'revision') ?? '',
      artifactDigest: textAt(source, 'status', 'artifact', 'digest') ?? '',
      ...readiness(source),
    },
  };
}

function readiness(object: JsonObject): Pick<Place, 'ready' | 'reason' | 'message'> {
  const ready = conditionOf(object, 'Ready');
  return { ready: ready?.status ?? '', reason: ready?.reason ?? '', message: ready?.message ?? '' };
}

/** One block for each object and cluster. Ends with a line feed. Pure. */
export function traceText(traces: readonly Traced[]): string {
  return `${traces.map(blockOf).join('\n\n')}\n`;
}

function blockOf({ object, cluster, revision, digest, definition, source }: Traced): string {
  const lines = [
    ...(object === null ? [] : [['Object', object]]),
    ['Cluster', cluster],
    ['Applied', [revision, digest].filter((one) => one !== '').join('  ')],
    [definition.kind, shown(definition)],
    ...(source === null
      ? [['Source', 'not there any more, or not to be seen']]
      : [
          [source.kind, shown(source)],
          ['URL', source.url],
          ['Artifact', [source.revision, source.artifactDigest].filter((one) => one !== '').join('  ')],
        ]),
  ];
  return lines.map(([title = '', text = '']) => oneLine(`${`${title}:`.padEnd(16)}${text}`).trimEnd()).join('\n');
}

function shown(place: Place): string {
  const state = place.ready === '' ? '' : place.ready === 'True' ? '  Ready' : `  ${place.reason}: ${place.message}`;
  return `${place.namespace}/${place.name}${state}`;
}
