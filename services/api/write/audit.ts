import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/json.ts';
import type { Verb } from '#core/resource.ts';
import type { AuditEntry, StoredObject } from '#core/store.ts';
import type { WriteContext } from '#services/api/admission/admission.ts';
import { toWire } from '#services/api/wire/object.ts';

type Written = Pick<StoredObject, 'namespace' | 'name'>;

/** The audit entry of a write. Digests only; a Secret's values are not even in the digest's input. */
export function auditOfWrite(
  context: WriteContext,
  verb: Verb,
  about: Written,
  before: StoredObject | null,
  after: StoredObject | null,
): AuditEntry {
  const { principal, auditId } = context.call;
  return {
    actor: principal.name,
    via: principal.via,
    verb,
    kind: context.resource.kind,
    namespace: about.namespace,
    name: about.name,
    requestId: auditId,
    beforeDigest: before === null ? null : digestOf(context, before),
    afterDigest: after === null ? null : digestOf(context, after),
    detail: { subject: `${principal.issuer}|${principal.subject}`, role: context.role },
  };
}

function digestOf({ resource }: WriteContext, object: StoredObject): string {
  return `sha256:${createHash('sha256')
    .update(canonicalJson(toWire(resource, object)))
    .digest('hex')}`;
}
