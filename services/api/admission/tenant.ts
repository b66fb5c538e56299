import Value from 'typebox/value';
import { dropTenantDirectory, putTenantDirectory, type TenantDirectoryInput } from '#adapters/postgres/directory.ts';
import { listObjects } from '#adapters/postgres/objects.ts';
import { AppError } from '#core/errors.ts';
import { canonicalJson, type Json, type JsonObject } from '#core/json.ts';
import type { StoredObject } from '#core/store.ts';
import { TenantBody } from '#kinds/tenant/schema.ts';
import type { Admission } from '#services/api/admission/admission.ts';
import { issuerOfMember } from '#services/api/auth/principal-key.ts';
import { LAST_APPLIED } from '#services/api/wire/object.ts';

/**
 * Who belongs to a tenant is found before the tenant is known, so every write of a Tenant writes its directory rows too. Admins of the tenant
 * change members and groups and nothing else (design.md section 4).
 */
export const tenantAdmission: Admission = Object.freeze<Admission>({
  async besideCreate(tx, { deps }, object) {
    await putTenantDirectory(tx, directoryOf(object.name, object.body, deps.oidcIssuer));
    return null;
  },
  async beforeUpdate(_tx, { call }, before, draft) {
    const onlyPeople = sameButPeople(before.body, draft.body) && sameMetadata(before, draft.metadata);
    if (!call.principal.platformAdmin && !onlyPeople) {
      const message = `tenants.weir.dev "${before.name}" is forbidden: an admin of the tenant may change spec.members and spec.groups only`;
      throw new AppError('forbidden', message, { name: before.name, group: 'weir.dev', kind: 'tenants' });
    }
    return draft;
  },
  async besideUpdate(tx, { deps }, _before, after) {
    await putTenantDirectory(tx, directoryOf(after.name, after.body, deps.oidcIssuer));
  },
  async beforeDelete(tx, _context, before) {
    const left = await listObjects(tx, { kind: 'Namespace', namespaces: null, limit: 5 });
    if (left.length === 0) return;
    const names = left.map((one) => one.name).join(', ');
    const message = `Operation cannot be fulfilled on tenants.weir.dev "${before.name}": delete its namespaces first, so that what runs in clusters is torn down: ${names}`;
    throw new AppError('conflict', message, { name: before.name, group: 'weir.dev', kind: 'tenants' });
  },
  async besideDelete(tx) {
    await dropTenantDirectory(tx);
  },
});

function directoryOf(name: string, body: JsonObject, oidcIssuer: string): TenantDirectoryInput {
  const parsed: unknown = body;
  if (!Value.Check(TenantBody, parsed)) throw new Error('a Tenant that was validated does not fit its schema');
  const { spec } = parsed;
  return {
    name,
    suspended: spec.suspend ?? false,
    namespaces: { names: spec.namespaces.names ?? [], prefixes: spec.namespaces.prefixes ?? [] },
    members: (spec.members ?? []).map(({ subject, role }) => ({ issuer: issuerOfMember(subject, oidcIssuer), subject, role })),
    groups: (spec.groups ?? []).map(({ oidcGroup, role }) => ({ issuer: oidcIssuer, group: oidcGroup, role })),
  };
}

function sameButPeople(before: JsonObject, after: JsonObject): boolean {
  return canonicalJson(withoutPeople(before)) === canonicalJson(withoutPeople(after));
}

/** What kubectl notes of an apply may change: it says nothing about the tenant. */
function sameMetadata(before: Marked, after: Marked): boolean {
  return canonicalJson(marksOf(before)) === canonicalJson(marksOf(after));
}

type Marked = Pick<StoredObject, 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'>;

function marksOf({ labels, annotations, finalizers, ownerReferences }: Marked): Json {
  const kept = Object.entries(annotations).filter(([name]) => name !== LAST_APPLIED);
  return { labels, annotations: Object.fromEntries(kept), finalizers, owners: ownerReferences.map((one) => ({ ...one })) };
}

function withoutPeople({ spec }: JsonObject): Json {
  const fields = typeof spec === 'object' && spec !== null && !Array.isArray(spec) ? Object.entries(spec) : [];
  return Object.fromEntries(fields.filter(([name]) => name !== 'members' && name !== 'groups'));
}
