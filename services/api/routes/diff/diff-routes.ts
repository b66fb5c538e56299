import { randomUUID } from 'node:crypto';
import { getObject } from '#adapters/postgres/objects.ts';
import type { ClusterDiff } from '#core/diff.ts';
import { AppError } from '#core/errors.ts';
import type { Json } from '#core/json.ts';
import type { Resource } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import type { TenantScope } from '#core/tenant.ts';
import { resource as helmRelease } from '#kinds/helm-release/resource.ts';
import { resource as kustomization } from '#kinds/kustomization/resource.ts';
import { resource as secretResource } from '#kinds/secret/resource.ts';
import { canRead } from '#services/api/auth/visibility.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { openSchemas } from '#services/api/validate/compile.ts';
import { type Draft, readDraft } from '#services/api/validate/draft.ts';
import { type Answer, jsonAnswer, type SignedInCall } from '#services/api/wire/call.ts';
import { decodeObject } from '#services/api/wire/decode.ts';
import type { Grant } from '#services/api/wire/grant.ts';
import type { Route } from '#services/api/wire/route.ts';

/** What a proposed Kustomization or HelmRelease would change on its clusters. Writes nothing anywhere. */
export type PreviewPort = (
  scope: TenantScope,
  proposed: StoredObject,
  options: Readonly<{ reveal: boolean; signal: AbortSignal }>,
) => Promise<readonly ClusterDiff[]>;

type DiffDeps = Pick<ApiDeps, 'db' | 'clock'> & Readonly<{ preview: PreviewPort }>;

const TIMEOUT_MS = 60_000;

/** `POST …/kustomizations/{name}/diff` and `…/helmreleases/{name}/diff` with a proposed object, which need not exist yet (kube-api.md 12.2). */
export function diffRoutes(deps: DiffDeps): readonly Route[] {
  const schemas = openSchemas();
  return [kustomization, helmRelease].map((resource): Route => {
    const subresource = resource.subresources.find((one) => one.name === 'diff');
    if (subresource === undefined) throw new Error(`${resource.kind} has no subresource diff`);
    return {
      method: 'POST',
      url: `/apis/${resource.group}/${resource.version}/namespaces/:namespace/${resource.plural}/:name/diff`,
      permission: { is: 'resource', resource, subresource, verb: 'create' },
      audit: 'diff',
      handler: async (call: SignedInCall, grant: Grant): Promise<Answer> => {
        if (call.body === null) throw new AppError('badRequest', 'the body holds the proposed definition');
        const draft = readDraft(schemas, resource, decodeObject(call.body), 'Strict');
        return answer(deps, resource, call, grant, draft);
      },
    };
  });
}

async function answer(deps: DiffDeps, resource: Resource, call: SignedInCall, grant: Grant, draft: Draft): Promise<Answer> {
  if (grant.is !== 'one') throw new Error('a diff is of one object');
  const { scope } = grant;
  const { namespace = '', name = '' } = call.params;
  const existing = await deps.db.inTenant(scope, (tx) => getObject(tx, { kind: resource.kind, namespace, name }), { readOnly: true });
  const proposed: StoredObject =
    existing === null
      ? fresh(scope, { kind: resource.kind, namespace, name }, draft, deps.clock.nowMs())
      : { ...existing, body: draft.body, labels: draft.metadata.labels, annotations: draft.metadata.annotations };
  const reveal = canRead(call.principal, secretResource, { tenantId: scope.tenantId, tenantName: grant.tenantName });
  const clusters = await deps.preview(scope, proposed, { reveal, signal: AbortSignal.any([call.signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  return jsonAnswer(200, { kind: 'Diff', apiVersion: 'weir.dev/v1', clusters: clusters as unknown as Json });
}

function fresh(
  scope: TenantScope,
  named: Readonly<{ kind: string; namespace: string; name: string }>,
  draft: Draft,
  nowMs: number,
): StoredObject {
  return {
    tenantId: scope.tenantId,
    ...named,
    uid: randomUUID(),
    generation: 1,
    resourceVersion: '0',
    createdAtMs: nowMs,
    deletingAtMs: null,
    labels: draft.metadata.labels,
    annotations: draft.metadata.annotations,
    finalizers: [],
    ownerReferences: [],
    managedFields: [],
    body: draft.body,
    status: null,
    sealedKeys: [],
    createdBy: '',
  };
}
