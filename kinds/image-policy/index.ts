import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { decide } from './decide.ts';
import { type ImagePolicyNeed, observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { ImagePolicySpec, ImagePolicyStatus } from './schema.ts';

const passTimeoutMs = 90_000;

/** Flux's ImagePolicy: which tag of an image repository is the latest. */
export const imagePolicyKind = defineKind<'definition', typeof ImagePolicySpec, typeof ImagePolicyStatus, ImagePolicyNeed, Seen, never>({
  resource,
  unit: 'definition',
  worker: 'image',
  spec: ImagePolicySpec,
  status: ImagePolicyStatus,
  needs: ['lookup', 'secrets', 'registry', 'patterns', 'imageTags'],
  refs: ({ imageRepositoryRef: { name, namespace } }, own) => {
    const to = { kind: 'ImageRepository', namespace: namespace ?? own, name };
    return [
      { ...to, on: 'artifact' },
      // Created, or its accessFrom changed.
      { ...to, on: 'change' },
      { ...to, on: 'ready' },
    ];
  },
  intervalMs: (spec) => (spec.digestReflectionPolicy === 'Always' && spec.interval !== undefined ? durationMs(spec.interval, 0) : null),
  suspended: (spec) => spec.suspend === true,
  timeoutMs: () => passTimeoutMs,
  observe,
  decide,
  act: async () => ({}),
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'the policy goes', revision: '' }),
});
