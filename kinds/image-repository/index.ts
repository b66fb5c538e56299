import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import type { Ref } from '#core/store.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { type ImageRepositoryNeed, observe, type Seen, scanTimeoutMs } from './observe.ts';
import { resource } from './resource.ts';
import { ImageRepositorySpec, ImageRepositoryStatus } from './schema.ts';

const storeTimeMs = 30_000;

/** Flux's ImageRepository: the tags of an image repository are scanned for the policies that choose among them. */
export const imageRepositoryKind = defineKind<
  'definition',
  typeof ImageRepositorySpec,
  typeof ImageRepositoryStatus,
  ImageRepositoryNeed,
  Seen,
  Act
>({
  resource,
  unit: 'definition',
  worker: 'image',
  spec: ImageRepositorySpec,
  status: ImageRepositoryStatus,
  needs: ['lookup', 'secrets', 'registry', 'patterns', 'imageTags'],
  refs: (spec, namespace) =>
    [spec.secretRef, spec.certSecretRef].flatMap((ref): readonly Ref[] =>
      ref === undefined ? [] : [{ kind: 'Secret', namespace, name: ref.name, on: 'change' }],
    ),
  intervalMs: (spec) => durationMs(spec.interval, 0),
  suspended: (spec) => spec.suspend === true,
  timeoutMs: (spec) => scanTimeoutMs(spec) + storeTimeMs,
  observe,
  decide,
  act,
  async finalize(ctx, { definition }) {
    await ctx.imageTags.remove(definition.uid);
    return { is: 'ready', reason: 'Succeeded', message: 'the tags are removed', revision: '' };
  },
});
