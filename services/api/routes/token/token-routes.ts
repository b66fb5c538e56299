import { randomUUID } from 'node:crypto';
import { appendAudit } from '#adapters/postgres/audit.ts';
import { putToken } from '#adapters/postgres/directory.ts';
import { getObject } from '#adapters/postgres/objects.ts';
import { rollbackWith, type TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { AppError } from '#core/errors.ts';
import type { JsonObject } from '#core/json.ts';
import { allVerbs } from '#core/resource.ts';
import type { StoredObject } from '#core/store.ts';
import { rfc3339 } from '#core/time.ts';
import { resource } from '#kinds/service-account/resource.ts';
import { passedOnRole, requirePerson } from '#services/api/auth/minting.ts';
import { serviceAccountIssuer } from '#services/api/auth/principal-key.ts';
import { newToken } from '#services/api/auth/token-text.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { isDryRun } from '#services/api/routes/token/dry-run.ts';
import { readTokenRequest, type TokenWish } from '#services/api/routes/token/token-request.ts';
import { type Answer, jsonAnswer, type SignedInCall } from '#services/api/wire/call.ts';
import type { Grant } from '#services/api/wire/grant.ts';
import type { Route } from '#services/api/wire/route.ts';
import { objectNotFound } from '#services/api/wire/status.ts';

type TokenDeps = Pick<ApiDeps, 'db' | 'clock' | 'publicUrl' | 'limits'>;

const what = 'ServiceAccount tokens';

/** `POST …/serviceaccounts/<name>/token` (TokenRequest, kube-api.md 6.3): the token of CI. Its value is in the answer and nowhere else. */
export function serviceAccountTokenRoutes(deps: TokenDeps): readonly Route[] {
  const subresource = resource.subresources.find((one) => one.name === 'token');
  if (subresource === undefined) throw new Error('ServiceAccount has no subresource token');
  return [
    {
      method: 'POST',
      url: '/api/v1/namespaces/:namespace/serviceaccounts/:name/token',
      permission: { is: 'resource', resource, subresource, verb: 'create' },
      audit: 'token',
      handler: (call: SignedInCall, grant: Grant) => createToken(deps, call, grant),
    },
  ];
}

async function createToken(deps: TokenDeps, call: SignedInCall, grant: Grant): Promise<Answer> {
  if (grant.is !== 'one') throw new Error('a token belongs to one place');
  requirePerson(call.principal, what);
  const role = passedOnRole(call.principal, grant.scope.tenantId, what);
  const { namespace = '', name = '' } = call.params;
  const wish = readTokenRequest(call.body, { name, publicUrl: deps.publicUrl, maxSeconds: deps.limits.serviceAccountTokenMaxSeconds });
  const nowMs = deps.clock.nowMs();
  const expiresAtMs = nowMs + wish.seconds * 1_000;
  const dryRun = isDryRun(call.query);
  const uid = randomUUID();
  const made = newToken(uid);
  await deps.db.inTenant(grant.scope, async (tx) => {
    const account = await getObject(tx, { kind: 'ServiceAccount', namespace, name });
    if (account === null) throw objectNotFound(resource, name);
    if (account.deletingAtMs !== null)
      throw new AppError('conflict', `serviceaccounts "${name}" is being deleted`, { name, kind: 'serviceaccounts' });
    await putToken(tx, {
      hash: Buffer.from(made.hash).toString('hex'),
      uid,
      name,
      namespace,
      limits: { '*': allVerbs },
      role,
      makerKey: `${serviceAccountIssuer}|${account.uid}`,
      expiresAtMs,
    });
    await note(tx, call, account, expiresAtMs);
    return dryRun ? rollbackWith(undefined) : undefined;
  });
  return jsonAnswer(201, tokenAnswer({ namespace, name, wish, nowMs, expiresAtMs, token: dryRun ? '' : made.token }));
}

async function note(tx: TenantTx, call: SignedInCall, account: StoredObject, expiresAtMs: number): Promise<void> {
  await appendAudit(tx, {
    actor: tx.actor.name,
    via: tx.actor.via,
    verb: 'create',
    kind: 'ServiceAccount/token',
    namespace: account.namespace,
    name: account.name,
    requestId: call.auditId,
    beforeDigest: null,
    afterDigest: null,
    detail: { expiresAt: rfc3339(expiresAtMs) },
  });
}

type Shown = Readonly<{ namespace: string; name: string; wish: TokenWish; nowMs: number; expiresAtMs: number; token: string }>;

function tokenAnswer({ namespace, name, wish, nowMs, expiresAtMs, token }: Shown): JsonObject {
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: rfc3339(nowMs) },
    spec: { audiences: wish.audiences, expirationSeconds: wish.seconds, boundObjectRef: null },
    status: { token, expirationTimestamp: rfc3339(expiresAtMs) },
  };
}
