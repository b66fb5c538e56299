import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { EVERY_NAME } from '#core/store.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { observe, type PolicyNeed, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { PullRequestPolicySpec, PullRequestPolicyStatus } from './schema.ts';

const defaultIntervalMs = 10 * 60_000;
const passTimeoutMs = 10 * 60_000;

/** Pull requests for the branches that image automations push to: opened, kept up to date, closed when overtaken. */
export const pullRequestPolicyKind = defineKind<
  'definition',
  typeof PullRequestPolicySpec,
  typeof PullRequestPolicyStatus,
  PolicyNeed,
  Seen,
  Act
>({
  resource,
  unit: 'definition',
  worker: 'image',
  spec: PullRequestPolicySpec,
  status: PullRequestPolicyStatus,
  needs: ['lookup', 'secrets', 'pullRequests'],
  refs: (spec, namespace) => [
    { kind: 'ImageUpdateAutomation', namespace, name: EVERY_NAME, on: 'artifact' },
    { kind: 'Secret', namespace, name: spec.secretRef.name, on: 'change' },
  ],
  intervalMs: (spec) => durationMs(spec.interval, defaultIntervalMs),
  suspended: (spec) => spec.suspend === true,
  timeoutMs: () => passTimeoutMs,
  observe,
  decide,
  act,
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'open requests stay', revision: '' }),
});
