import { appendAudit } from '#adapters/postgres/audit.ts';
import type { Verb } from '#core/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import type { ReadPart } from '#services/api/read/reading.ts';
import type { SignedInCall } from '#services/api/wire/call.ts';

type ReadOf = Readonly<{ kind: string; verb: Verb; namespace: string; name: string }>;

/** Records that somebody is about to see secret values: before they do, so that no read goes unrecorded (design.md section 4). */
export async function auditReveal(
  deps: ApiDeps,
  call: SignedInCall,
  parts: readonly ReadPart[],
  { kind, verb, namespace, name }: ReadOf,
): Promise<void> {
  const { principal, auditId } = call;
  for (const { scope, reveal, namespaces } of parts) {
    if (!reveal) continue;
    const entry = {
      actor: principal.name,
      via: principal.via,
      verb,
      kind,
      namespace,
      name,
      requestId: auditId,
      beforeDigest: null,
      afterDigest: null,
      detail: { values: 'read', namespaces: namespaces ?? [] },
    };
    await deps.db.inTenant(scope, (tx) => appendAudit(tx, entry));
  }
}
