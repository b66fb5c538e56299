import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { EVERY_NAME } from '#core/store.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { type AutomationNeed, observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { ImageUpdateAutomationSpec, ImageUpdateAutomationStatus } from './schema.ts';

const passTimeoutMs = 180_000;

/** Flux's ImageUpdateAutomation: what image policies chose is written into the marked fields of a Git repository. */
export const imageUpdateAutomationKind = defineKind<
  'definition',
  typeof ImageUpdateAutomationSpec,
  typeof ImageUpdateAutomationStatus,
  AutomationNeed,
  Seen,
  Act
>({
  resource,
  unit: 'definition',
  worker: 'image',
  spec: ImageUpdateAutomationSpec,
  status: ImageUpdateAutomationStatus,
  needs: ['lookup', 'secrets', 'git', 'gitWriter', 'setters', 'wakes'],
  refs: ({ sourceRef, git }, namespace) => [
    ...(git?.commit.signingKey === undefined
      ? []
      : [{ kind: 'Secret', namespace, name: git.commit.signingKey.secretRef.name, on: 'change' } as const]),
    { kind: 'ImagePolicy', namespace, name: EVERY_NAME, on: 'artifact' },
    { kind: 'GitRepository', namespace: sourceRef.namespace ?? namespace, name: sourceRef.name, on: 'artifact' },
    { kind: 'GitRepository', namespace: sourceRef.namespace ?? namespace, name: sourceRef.name, on: 'change' },
  ],
  intervalMs: (spec) => durationMs(spec.interval, 0),
  suspended: (spec) => spec.suspend === true,
  timeoutMs: () => passTimeoutMs,
  observe,
  decide,
  act,
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'what was committed stays', revision: '' }),
});
