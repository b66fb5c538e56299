import { dropNamespace, putNamespace } from '#adapters/postgres/directory.ts';
import { AppError } from '#core/errors.ts';
import { PLATFORM_NAMESPACE } from '#core/tenant.ts';
import type { Admission } from '#services/api/admission/admission.ts';

export const NAME_LABEL = 'kubernetes.io/metadata.name';
/** The label that `flux create tenant` sets (fluxcd/flux2 cmd/flux/create_tenant.go). */
export const TENANT_LABEL = 'toolkit.fluxcd.io/tenant';

/** A namespace belongs to the tenant that made it; its two labels are the plane's (kube-api.md 2.8). Which tenant may take the name was decided before. */
export const namespaceAdmission: Admission = Object.freeze<Admission>({
  async beforeCreate(_tx, { tenantName }, draft) {
    const { metadata } = draft;
    const labels = { ...metadata.labels, [NAME_LABEL]: metadata.name, [TENANT_LABEL]: tenantName };
    return { ...draft, metadata: { ...metadata, labels }, body: { spec: { finalizers: ['kubernetes'] } } };
  },
  async besideCreate(tx, _context, object) {
    await putNamespace(tx, object.name);
    return null;
  },
  async beforeUpdate(_tx, { tenantName }, before, draft) {
    const { metadata } = draft;
    const labels = { ...metadata.labels, [NAME_LABEL]: metadata.name, [TENANT_LABEL]: tenantName };
    return { ...draft, metadata: { ...metadata, labels }, body: before.body };
  },
  async beforeDelete(_tx, _context, before) {
    if (before.name !== PLATFORM_NAMESPACE) return;
    throw new AppError('forbidden', `namespaces "${before.name}" is forbidden: this namespace may not be deleted`, {
      name: before.name,
      kind: 'namespaces',
    });
  },
  async besideDelete(tx, _context, before) {
    await dropNamespace(tx, before.name);
  },
});
