import { accessTokenAdmission } from '#services/api/admission/access-token.ts';
import type { Admission } from '#services/api/admission/admission.ts';
import { clusterAdmission } from '#services/api/admission/cluster.ts';
import { configMapAdmission } from '#services/api/admission/config-map.ts';
import { namespaceAdmission } from '#services/api/admission/namespace.ts';
import { secretAdmission } from '#services/api/admission/secret.ts';
import { tenantAdmission } from '#services/api/admission/tenant.ts';

const none: Admission = Object.freeze({});

const byKind: Readonly<Record<string, Admission>> = Object.freeze({
  Namespace: namespaceAdmission,
  Secret: secretAdmission,
  ConfigMap: configMapAdmission,
  Tenant: tenantAdmission,
  Cluster: clusterAdmission,
  AccessToken: accessTokenAdmission,
});

/** The admission of a kind; most have none. */
export function admissionOf(kind: string): Admission {
  return Object.hasOwn(byKind, kind) ? (byKind[kind] ?? none) : none;
}
