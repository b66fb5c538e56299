import { getObject, type Target } from '#adapters/kube/objects.ts';
import { pollUntil } from '#adapters/kube/pause.ts';
import type { ApplyContext } from '#adapters/kube/ssa/apply-object.ts';
import { nameOf } from '#adapters/kube/ssa/outcome.ts';
import { AppError } from '#core/errors.ts';
import { at, isObject, type Json, type JsonObject, textAt } from '#core/json.ts';
import type { ApplyItem } from '#core/ports.ts';

const timeoutMs = 60_000;

/** True for a kind that the next stage builds on. */
export function mustBeEstablished(target: Target): boolean {
  return isDefinition(target) || isNamespace(target);
}

function isDefinition(target: Target): boolean {
  return target.type.group === 'apiextensions.k8s.io' && target.type.kind === 'CustomResourceDefinition';
}

function isNamespace(target: Target): boolean {
  return target.type.group === '' && target.type.kind === 'Namespace';
}

/** Waits (60 s) until a CRD is Established or a Namespace is Active. Null when it is, else why not. Throws as getObject does. */
export async function waitEstablished(context: ApplyContext, target: Target, item: ApplyItem): Promise<string | null> {
  const done = await pollUntil(timeoutMs, context.nowMs, context.signal, async () => {
    const live = await getObject(context.session, target, 'application/json', context.signal);
    if (live === null) throw new AppError('clusterAnswer', `${nameOf(item.ref)} vanished right after it was applied`);
    return isEstablished(target, live) ? true : null;
  });
  if (done !== null) return null;
  return `${nameOf(item.ref)} is not ${isNamespace(target) ? 'Active' : 'Established'} after ${timeoutMs / 1_000} s`;
}

function isEstablished(target: Target, live: JsonObject): boolean {
  if (isNamespace(target)) return textAt(live, 'status', 'phase') === 'Active';
  const conditions = at(live, 'status', 'conditions');
  return (Array.isArray(conditions) ? conditions : []).some(
    (one: Json) => isObject(one) && one['type'] === 'Established' && one['status'] === 'True',
  );
}
