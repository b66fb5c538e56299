import { defineKind } from '#core/kind.ts';
import type { Ref } from '#core/store.ts';
import { apply } from './act/apply.ts';
import { note } from './act/note.ts';
import { prune } from './act/prune.ts';
import { type Act, decide } from './decide.ts';
import { finalize } from './finalize.ts';
import { observe, type Seen } from './observe.ts';
import { resource } from './resource.ts';
import { KustomizationSpec, KustomizationStatus } from './schema.ts';
import { intervalMs, timeoutMs } from './times.ts';

/** Flux's Kustomization: builds manifests from a source and keeps one cluster equal to them, as the tenant's own account. */
export const kustomizationKind = defineKind<
  'delivery',
  typeof KustomizationSpec,
  typeof KustomizationStatus,
  'lookup' | 'secrets' | 'render' | 'cluster' | 'inventory' | 'patterns',
  Seen,
  Act
>({
  resource,
  unit: 'delivery',
  worker: 'kustomize',
  spec: KustomizationSpec,
  status: KustomizationStatus,
  needs: ['lookup', 'secrets', 'render', 'cluster', 'inventory', 'patterns'],
  refs,
  intervalMs,
  suspended: (spec) => spec.suspend === true,
  timeoutMs,
  observe,
  decide,
  act: async (ctx, obj, action) => {
    switch (action.do) {
      case 'apply':
        return apply(ctx, action.objects, action.revision);
      case 'note':
        return note(ctx, action.settled, action.forget);
      case 'prune':
        return prune(ctx, obj.deliveryId, action.leaving, action.forget);
    }
  },
  finalize,
});

function refs(spec: KustomizationSpec, namespace: string): readonly Ref[] {
  const found: Ref[] = [
    { kind: spec.sourceRef.kind, namespace: spec.sourceRef.namespace ?? namespace, name: spec.sourceRef.name, on: 'artifact' },
  ];
  for (const one of spec.dependsOn ?? [])
    found.push({ kind: 'Kustomization', namespace: one.namespace ?? namespace, name: one.name, on: 'ready' });
  for (const one of spec.postBuild?.substituteFrom ?? []) found.push({ kind: one.kind, namespace, name: one.name, on: 'change' });
  if (spec.kubeConfig?.secretRef !== undefined)
    found.push({ kind: 'Secret', namespace, name: spec.kubeConfig.secretRef.name, on: 'change' });
  return found;
}
