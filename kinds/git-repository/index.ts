import { durationMs } from '#core/duration.ts';
import { defineKind } from '#core/kind.ts';
import { act } from './act.ts';
import { type Act, decide } from './decide.ts';
import { type GitRepositoryNeed, observe, remoteTimeoutMs, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { GitRepositorySpec, GitRepositoryStatus } from './schema.ts';

const archiveTimeMs = 60_000;

/** Flux's GitRepository: the tree at a branch, tag, version range, reference or commit becomes an artifact. */
export const gitRepositoryKind = defineKind<
  'definition',
  typeof GitRepositorySpec,
  typeof GitRepositoryStatus,
  GitRepositoryNeed,
  Seen,
  Act
>({
  resource,
  unit: 'definition',
  worker: 'source',
  spec: GitRepositorySpec,
  status: GitRepositoryStatus,
  needs: ['lookup', 'secrets', 'git', 'artifacts'],
  refs: (spec, namespace) => (spec.secretRef === undefined ? [] : [{ kind: 'Secret', namespace, name: spec.secretRef.name, on: 'change' }]),
  intervalMs: (spec) => durationMs(spec.interval, 0),
  suspended: (spec) => spec.suspend === true,
  // One ls-remote, one fetch, and the time to pack what came.
  timeoutMs: (spec) => 2 * remoteTimeoutMs(spec) + archiveTimeMs,
  observe,
  decide,
  act,
  // The artifact store collects what no status names any more.
  finalize: async () => ({ is: 'ready', reason: 'Succeeded', message: 'the artifact is left to collection', revision: '' }),
});
