import { type LedgerRecord, listLedger } from '#adapters/postgres/ledger.ts';
import { getObject } from '#adapters/postgres/objects.ts';
import { AppError } from '#core/errors.ts';
import type { JsonObject } from '#core/json.ts';
import { rfc3339 } from '#core/time.ts';
import { resource } from '#kinds/kustomization/resource.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { type Answer, jsonAnswer, type SignedInCall } from '#services/api/wire/call.ts';
import type { Grant } from '#services/api/wire/grant.ts';
import type { Route } from '#services/api/wire/route.ts';
import { objectNotFound } from '#services/api/wire/status.ts';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** `GET …/kustomizations/{name}/history`: every delivery attempt on every cluster, newest first, in pages (kube-api.md 12.2). `cluster` names one. */
export function historyRoutes(deps: Pick<ApiDeps, 'db'>): readonly Route[] {
  const subresource = resource.subresources.find((one) => one.name === 'history');
  if (subresource === undefined) throw new Error('Kustomization has no subresource history');
  return [
    {
      method: 'GET',
      url: '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/:namespace/kustomizations/:name/history',
      permission: { is: 'resource', resource, subresource, verb: 'get' },
      audit: 'history',
      handler: (call: SignedInCall, grant: Grant) => answer(deps, call, grant),
    },
  ];
}

async function answer({ db }: Pick<ApiDeps, 'db'>, call: SignedInCall, grant: Grant): Promise<Answer> {
  if (grant.is !== 'one') throw new Error('a history is of one object');
  const { namespace = '', name = '' } = call.params;
  const limit = limitOf(call.query.get('limit'));
  const before = call.query.get('continue');
  const cluster = call.query.get('cluster');
  const records = await db.inTenant(
    grant.scope,
    async (tx) => {
      const definition = await getObject(tx, { kind: resource.kind, namespace, name });
      if (definition === null) throw objectNotFound(resource, name);
      return listLedger(tx, {
        definitionId: definition.uid,
        limit: limit + 1,
        ...(before === undefined ? {} : { before }),
        ...(cluster === undefined ? {} : { clusterName: cluster }),
      });
    },
    { readOnly: true },
  );
  const page = records.slice(0, limit);
  const last = page.at(-1);
  const metadata = records.length > limit && last !== undefined ? { continue: last.id } : {};
  return jsonAnswer(200, { apiVersion: 'weir.dev/v1', kind: 'History', metadata, items: page.map(itemOf) });
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw new AppError('badRequest', `limit must be a whole number from 1 to ${MAX_LIMIT}`);
  return limit;
}

function itemOf(one: LedgerRecord): JsonObject {
  return {
    id: one.id,
    time: rfc3339(one.atMs),
    cluster: one.clusterName ?? '',
    outcome: one.outcome,
    reason: one.reason,
    message: one.message,
    cause: one.cause,
    actor: one.actor,
    revision: one.revision,
    originRevision: one.originRevision,
    artifactDigest: one.artifactDigest,
    renderDigest: one.renderDigest,
    durationMs: one.durationMs,
    objects: one.objects.map((object) => ({ ...object })),
  };
}
