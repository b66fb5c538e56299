import { randomUUID } from 'node:crypto';
import { getObject, insertObject, noConsequences, updateObject } from '#adapters/postgres/objects.ts';
import type { JsonObject } from '#core/json.ts';
import { scopeOfJob, type TenantScope } from '#core/tenant.ts';
import type { Api } from '#tests/contract/api.ts';

async function scopeOf(api: Api): Promise<TenantScope> {
  const tenant = await api.plane.db.directory.tenantByName('acme');
  if (tenant === null) throw new Error('no tenant acme');
  return scopeOfJob({ tenantId: tenant.tenantId }, 'kustomize');
}

/** Writes a status as a worker does. */
export async function writeStatus(
  api: Api,
  kind: string,
  name: string,
  statusOf: (object: Readonly<{ generation: number; annotations: Readonly<Record<string, string>> }>) => JsonObject,
): Promise<void> {
  await api.plane.db.inTenant(await scopeOf(api), async (tx) => {
    const before = await getObject(tx, { kind, namespace: 'acme', name });
    if (before === null) throw new Error(`no ${kind} ${name}`);
    await updateObject(tx, before, { ...before, status: statusOf(before) }, noConsequences);
  });
}

/** A Delivery or an Event as the plane writes it. */
export async function writeObject(api: Api, kind: string, name: string, body: JsonObject, status: JsonObject | null): Promise<void> {
  await api.plane.db.inTenant(await scopeOf(api), (tx) =>
    insertObject(
      tx,
      {
        kind,
        uid: randomUUID(),
        namespace: 'acme',
        name,
        generation: 1,
        createdAtMs: Date.now(),
        labels: {},
        annotations: {},
        finalizers: [],
        ownerReferences: [],
        managedFields: [],
        body,
        status,
        createdBy: 'weir|plane',
        refs: [],
        unit: null,
      },
      noConsequences,
    ),
  );
}

export function condition(status: 'True' | 'False' | 'Unknown', reason: string, message: string, observedGeneration = 1): JsonObject {
  return { type: 'Ready', status, reason, message, observedGeneration, lastTransitionTime: '2026-01-01T00:00:00Z' };
}
