import type { WorkUnit } from '#adapters/postgres/objects.ts';
import { consequencesOf } from '#core/consequences.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import type { Consequences, Ref, StoredObject } from '#core/store.ts';
import { faceOf } from '#kinds/registry.ts';

/** What a write of this kind means for the runtime; the same rule for every route (INV-3). */
export function consequences(resource: Resource, before: StoredObject | null, after: StoredObject | null): Consequences {
  const face = faceOf(resource.kind);
  return consequencesOf({ resource, reconciled: face === null ? null : { unit: face.unit }, before, after });
}

export function refsOf(resource: Resource, body: JsonObject, namespace: string, name: string): readonly Ref[] {
  return faceOf(resource.kind)?.refsOf(body, namespace, name) ?? [];
}

/** Null for kinds that nobody reconciles. The remote host is what the scheduler's cap per host counts. */
export function unitOf(resource: Resource, body: JsonObject): WorkUnit | null {
  const face = faceOf(resource.kind);
  return face === null ? null : { unit: face.unit, host: hostOf(body) };
}

/** Host of `spec.url`, also in the form `user@host:path`; null for kinds that have none. */
export function hostOf(body: JsonObject): string | null {
  const url = textAt(body, 'spec', 'url');
  if (url === undefined) return null;
  if (URL.canParse(url)) return new URL(url).host || null;
  return /^[^@/\s]+@([^:/\s]+):/.exec(url)?.[1] ?? null;
}
