import { defineKind } from '#core/kind.ts';
import type { Ref } from '#core/store.ts';
import { attempt } from './act/attempt.ts';
import { correct, note } from './act/correct.ts';
import { writeChart } from './act/own-chart.ts';
import { rekey } from './act/rekey.ts';
import { replace, rollback, uninstallFailed } from './act/remediate.ts';
import { testRelease } from './act/run-tests.ts';
import { unlock } from './act/unlock.ts';
import { type Act, decide } from './decide.ts';
import { finalize } from './finalize.ts';
import { type Needs, observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { HelmReleaseSpec } from './schema.ts';
import { referenceOf } from './source.ts';
import { HelmReleaseStatus } from './status.ts';
import { intervalMs, passTimeoutMs } from './times.ts';

/** Flux's HelmRelease: a real Helm release on one cluster, installed, upgraded, tested and remediated as the tenant's own account. */
export const helmReleaseKind = defineKind<'delivery', typeof HelmReleaseSpec, typeof HelmReleaseStatus, Needs, Seen, Act>({
  resource,
  unit: 'delivery',
  worker: 'helm',
  spec: HelmReleaseSpec,
  status: HelmReleaseStatus,
  needs: ['lookup', 'secrets', 'helm', 'cluster', 'inventory', 'owned', 'patterns'],
  refs,
  intervalMs,
  suspended: (spec) => spec.suspend === true,
  timeoutMs: passTimeoutMs,
  observe,
  decide,
  act: async (ctx, obj, action) => {
    switch (action.do) {
      case 'chart':
        return writeChart(ctx, obj);
      case 'rekey':
        return rekey(ctx, obj);
      case 'unlock':
        return unlock(ctx, obj, action.look, action.why);
      case 'install':
      case 'upgrade':
        return attempt(ctx, obj, action.do, action.look);
      case 'test':
        return testRelease(ctx, obj, action.look);
      case 'rollback':
        return rollback(ctx, obj, action.look, action.to);
      case 'uninstall':
        return uninstallFailed(ctx, obj, action.look);
      case 'replace':
        return replace(ctx, obj, action.leaving);
      case 'correct':
        return correct(ctx, action.look);
      case 'note':
        return note(ctx, action.look);
    }
  },
  finalize,
});

function refs(spec: HelmReleaseSpec, namespace: string, name: string): readonly Ref[] {
  const found: Ref[] = [];
  const named = referenceOf({ namespace, name }, spec);
  if (named !== null) found.push({ kind: named.kind, namespace: named.namespace, name: named.name, on: 'artifact' });
  for (const one of spec.dependsOn ?? [])
    found.push({ kind: 'HelmRelease', namespace: one.namespace ?? namespace, name: one.name, on: 'ready' });
  for (const one of spec.valuesFrom ?? []) found.push({ kind: one.kind, namespace, name: one.name, on: 'change' });
  if (spec.kubeConfig?.secretRef !== undefined)
    found.push({ kind: 'Secret', namespace, name: spec.kubeConfig.secretRef.name, on: 'change' });
  return found;
}
