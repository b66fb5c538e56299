import { createHmac, randomUUID } from 'node:crypto';
import { getObject } from '#adapters/postgres/objects.ts';
import { hookDirectory } from '#adapters/postgres/ports.ts';
import { openSecret } from '#adapters/postgres/secrets.ts';
import { openUnitStore } from '#adapters/postgres/unit-store.ts';
import { noFailpoints } from '#core/failpoints.ts';
import { type JsonObject, textAt } from '#core/json.ts';
import { silentLog } from '#core/log.ts';
import { runUnit } from '#core/reconcile/run.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import type { RunResult } from '#core/reconcile/runtime.ts';
import type { TenantScope } from '#core/tenant.ts';
import { receiverKind } from '#kinds/receiver/index.ts';
import type { ServedType } from '#kinds/receiver/support.ts';
import type { Api } from '#tests/contract/api.ts';

export const hookToken = 'a-token-of-forty-random-characters-9f2c71';
export type HookType = ServedType;
/** Types of which the path alone is the proof. */
export const provenByPath: readonly HookType[] = ['generic', 'dockerhub', 'quay', 'acr', 'cdevents'];

/** Runs one Receiver through the real runtime, as the notification worker does. */
export async function reconcileReceiver(api: Api, uid: string): Promise<RunResult> {
  const [row] = await api.plane.ask('select tenant_id::text as t from weir.objects where uid = $1', [uid]);
  const { db } = api.plane;
  const runtime = {
    store: openUnitStore(db),
    runnables: new Map([['Receiver', runnable(receiverKind)]]),
    bind: async ({ scope }: Readonly<{ scope: TenantScope }>) => ({
      ports: {
        secrets: { read: (namespace: string, name: string) => readSecret(api, scope, namespace, name) },
        hooks: hookDirectory(db, scope, uid),
      },
      mask: (text: string) => text,
      dispose: async () => undefined,
    }),
    clock: api.clock,
    log: silentLog,
    failpoints: noFailpoints,
    leaseMs: 15_000,
    released: () => undefined,
    worker: 'notification',
  };
  return runUnit(runtime, { tenantId: String(row?.['t']), kind: 'Receiver', id: uid }, new AbortController().signal);
}

async function readSecret(
  { plane, keys }: Api,
  scope: TenantScope,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, Uint8Array>> | null> {
  return plane.db.inTenant(scope, async (tx) => {
    const secret = await getObject(tx, { kind: 'Secret', namespace, name });
    return secret === null ? null : openSecret(tx, keys, secret);
  });
}

/** Makes Secret, GitRepository `name` and Receiver in a namespace of `admin`, reconciles, and answers the path. */
export async function openHook(
  api: Api,
  type: HookType,
  name: string,
  spec: JsonObject = {},
): Promise<Readonly<{ path: string; uid: string }>> {
  const meta = { name, namespace: 'acme' };
  await api.must('admin', '/api/v1/namespaces/acme/secrets', {
    method: 'POST',
    body: { apiVersion: 'v1', kind: 'Secret', metadata: meta, stringData: { token: hookToken } },
  });
  await makeRepository(api, name, {});
  const receiver = {
    apiVersion: 'notification.toolkit.fluxcd.io/v1',
    kind: 'Receiver',
    metadata: meta,
    spec: { type, secretRef: { name }, resources: [{ kind: 'GitRepository', name }], ...spec },
  };
  const made = await api.must('admin', receiversPath, { method: 'POST', body: receiver });
  const uid = textAt(made, 'metadata', 'uid') ?? '';
  await reconcileReceiver(api, uid);
  const path = textAt(await api.must('admin', `${receiversPath}/${name}`), 'status', 'webhookPath') ?? '';
  return { path, uid };
}

export const receiversPath = '/apis/notification.toolkit.fluxcd.io/v1/namespaces/acme/receivers';
export const repositoriesPath = '/apis/source.toolkit.fluxcd.io/v1/namespaces/acme/gitrepositories';

export async function makeRepository(
  api: Api,
  name: string,
  labels: Readonly<Record<string, string>>,
  as: 'admin' | 'stranger' = 'admin',
  namespace = 'acme',
): Promise<void> {
  const body = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace, labels },
    spec: { url: 'https://git.test/x', interval: '10m' },
  };
  await api.must(as, repositoriesPath.replace('/acme/', `/${namespace}/`), { method: 'POST', body });
}

/** How often each source was made due, by name: the work rows tell. */
export async function triggers(api: Api): Promise<Readonly<Record<string, number>>> {
  const rows = await api.plane.ask(
    `select o.namespace || '/' || o.name as n, w.trigger_no::int as t from weir.work w join weir.objects o on o.uid = w.unit_id where o.kind = 'GitRepository'`,
  );
  return Object.fromEntries(rows.map((row) => [String(row['n']), Number(row['t'])]));
}

/** Headers of a genuine call with this body. */
export function genuineHeaders(
  type: HookType,
  body: string | Uint8Array,
  token = hookToken,
  deliveryId: string = randomUUID(),
): Readonly<Record<string, string>> {
  const signature = `sha256=${createHmac('sha256', token).update(body).digest('hex')}`;
  switch (type) {
    case 'github':
      return { 'x-hub-signature-256': signature, 'x-github-event': 'push', 'x-github-delivery': deliveryId };
    case 'gitlab':
      return { 'x-gitlab-token': token, 'x-gitlab-event': 'Push Hook', 'x-gitlab-event-uuid': deliveryId };
    case 'generic-hmac':
      return { 'x-signature': signature };
    case 'bitbucket':
      return { 'x-hub-signature': signature, 'x-event-key': 'repo:push', 'x-request-uuid': deliveryId };
    case 'harbor':
      return { authorization: token };
    case 'nexus':
      return {
        'x-nexus-webhook-signature': createHmac('sha1', token).update(body).digest('hex'),
        'x-nexus-webhook-delivery': deliveryId,
      };
    case 'cdevents':
      return { 'ce-type': 'dev.cdevents.artifact.published.0.2.0' };
    case 'generic':
    case 'dockerhub':
    case 'quay':
    case 'acr':
      return {};
  }
}
