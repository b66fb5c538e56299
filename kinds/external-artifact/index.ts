import { defineKind } from '#core/kind.ts';
import { decide } from './decide.ts';
import { type ExternalArtifactNeed, observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { ExternalArtifactSpec, ExternalArtifactStatus } from './schema.ts';

const passTimeoutMs = 30_000;

/** Flux's ExternalArtifact: what an ArtifactGenerator made, for a Kustomization or HelmRelease to use. */
export const externalArtifactKind = defineKind<
  'definition',
  typeof ExternalArtifactSpec,
  typeof ExternalArtifactStatus,
  ExternalArtifactNeed,
  Seen,
  never
>({
  resource,
  unit: 'definition',
  worker: 'source',
  spec: ExternalArtifactSpec,
  status: ExternalArtifactStatus,
  needs: ['lookup'],
  refs: ({ sourceRef }, namespace) => {
    if (sourceRef === undefined || sourceRef.kind !== 'ArtifactGenerator' || (sourceRef.namespace ?? namespace) !== namespace) return [];
    const maker = { kind: sourceRef.kind, namespace, name: sourceRef.name };
    return [
      { ...maker, on: 'artifact' },
      { ...maker, on: 'change' },
    ];
  },
  intervalMs: () => null,
  suspended: () => false,
  timeoutMs: () => passTimeoutMs,
  observe,
  decide,
  act: async () => ({}),
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'the artifact is left to collection', revision: '' }),
});
