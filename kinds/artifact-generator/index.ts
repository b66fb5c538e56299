import { defineKind } from '#core/kind.ts';
import type { Ref } from '#core/store.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { finalize } from './finalize.ts';
import { type ArtifactGeneratorNeed, observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { ArtifactGeneratorSpec, ArtifactGeneratorStatus } from './schema.ts';

const passTimeoutMs = 300_000;
/** As upstream: the kind has no interval. */
const INTERVAL_MS = 60 * 60_000;

/** Flux's ArtifactGenerator: artifacts composed of, or split from, the content of other sources. */
export const artifactGeneratorKind = defineKind<
  'definition',
  typeof ArtifactGeneratorSpec,
  typeof ArtifactGeneratorStatus,
  ArtifactGeneratorNeed,
  Seen,
  Act
>({
  resource,
  unit: 'definition',
  worker: 'source',
  spec: ArtifactGeneratorSpec,
  status: ArtifactGeneratorStatus,
  needs: ['lookup', 'artifacts', 'compose', 'owned'],
  refs,
  intervalMs: () => INTERVAL_MS,
  suspended: () => false,
  timeoutMs: () => passTimeoutMs,
  observe,
  decide,
  act,
  finalize,
});

/** A source's new artifact wakes it; and a change of a result, which is made right. */
function refs({ sources, artifacts }: ArtifactGeneratorSpec, own: string): readonly Ref[] {
  const found = new Map<string, Ref>();
  const add = (ref: Ref) => found.set(`${ref.kind}/${ref.namespace}/${ref.name}/${ref.on}`, ref);
  for (const { kind, namespace = own, name } of sources)
    for (const on of ['artifact', 'change'] as const) add({ kind, namespace, name, on });
  for (const { name } of artifacts) add({ kind: 'ExternalArtifact', namespace: own, name, on: 'change' });
  return [...found.values()];
}
