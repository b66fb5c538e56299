import { createHash, timingSafeEqual } from 'node:crypto';
import { Value } from 'typebox/value';
import { rememberHookDelivery } from '#adapters/postgres/directory.ts';
import { getObject, getObjectByUid } from '#adapters/postgres/objects.ts';
import { openSecret } from '#adapters/postgres/secrets.ts';
import type { TenantTx } from '#adapters/postgres/tenant-tx.ts';
import { readConditions } from '#core/conditions.ts';
import { AppError } from '#core/errors.ts';
import type { StoredObject } from '#core/store.ts';
import { scopeOfOwner } from '#core/tenant.ts';
import { pathDigest, webhookPath } from '#kinds/receiver/path.ts';
import { ReceiverSpec } from '#kinds/receiver/schema.ts';
import { isServedType, type ServedType } from '#kinds/receiver/support.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import { checkProof, isListed } from '#services/api/routes/hook/proof.ts';
import { type Woken, wakeTargets } from '#services/api/routes/hook/wake.ts';
import type { Answer, Call } from '#services/api/wire/call.ts';
import type { Route } from '#services/api/wire/route.ts';
import { pathNotFound } from '#services/api/wire/status.ts';

type HookDeps = Pick<ApiDeps, 'db' | 'keys' | 'clock' | 'log'>;

const maxBodyBytes = 3_145_728;
const maxAttempts = 5;
const digestShape = /^[0-9a-f]{64}$/;
/** Looked up for a path that cannot exist, so that it costs the same as one that could. */
const nobody = '0'.repeat(64);

/** `POST /hook/<digest>`: webhooks of Receivers (definitions.md 7.3, kube-api.md 9.4). */
export function hookRoutes(deps: HookDeps): readonly Route[] {
  return [
    {
      method: 'POST',
      url: '/hook/:digest',
      permission: { is: 'public', because: 'a webhook proves itself by its secret path and its signature' },
      audit: 'hook',
      body: 'any',
      maxBodyBytes,
      handler: (call: Call) => handleHook(deps, call),
    },
  ];
}

/** Answers only after the commit, so that a call that was answered 200 leads to a run that begins later (INV-9). The path is never logged. */
async function handleHook(deps: HookDeps, call: Call): Promise<Answer> {
  const asked = call.params['digest'] ?? '';
  const digest = digestShape.test(asked) ? asked : nobody;
  const found = await deps.db.directory.hookByDigest(digest);
  if (found === null || digest === nobody) throw pathNotFound();
  const scope = scopeOfOwner(found, { name: 'webhook', via: 'webhook' });
  const result = await withoutConflict(() =>
    deps.db.inTenant(scope, (tx) => receive(deps, tx, { call, digest, receiverUid: found.receiverUid })),
  );
  deps.log.info({ tenantId: found.ownerTenantId, receiver: found.receiverUid, ...result }, 'webhook received');
  if (result.missing > 0) {
    throw new AppError(
      'internal',
      `${result.missing} of the resources that the receiver names could not be woken: they do not exist, or are of a kind that is not served`,
    );
  }
  return { is: 'text', status: 200, text: '', contentType: 'text/plain' };
}

type Incoming = Readonly<{ call: Call; digest: string; receiverUid: string }>;

async function receive(
  deps: HookDeps,
  tx: TenantTx,
  { call, digest, receiverUid }: Incoming,
): Promise<Woken & Readonly<{ repeated: boolean }>> {
  const receiver = await getObjectByUid(tx, receiverUid);
  if (receiver === null || receiver.kind !== 'Receiver' || receiver.deletingAtMs !== null) throw pathNotFound();
  const spec = specOf(receiver);
  const token = await tokenOf(deps, tx, receiver, spec);
  // The token may have changed since the path was registered: the old path ends with it.
  if (token === null || !isSame(pathDigest(token, receiver), digest)) throw pathNotFound();
  const type = openType(receiver, spec, digest);
  const proof = checkProof({ type, headers: call.headers, body: call.body?.bytes ?? new Uint8Array(), token });
  if (proof.is === 'refused') throw new AppError('badRequest', `the webhook is not genuine: ${proof.why}`);
  if (!isListed(type, spec.events ?? [], proof.delivery.event))
    throw new AppError('badRequest', 'the event is not listed in spec.events of the receiver');
  const { id } = proof.delivery;
  if (id !== null && !(await rememberHookDelivery(tx, receiverUid, keyOf(id)))) return { woken: 0, missing: 0, repeated: true };
  return { ...(await wakeTargets(tx, deps.clock, receiver, spec, call.auditId)), repeated: false };
}

function specOf(receiver: StoredObject): ReceiverSpec {
  const spec: unknown = receiver.body['spec'];
  // The API validated it with the same schema: anything else is our bug.
  if (!Value.Check(ReceiverSpec, spec)) throw new Error('a stored Receiver does not fit its own schema');
  return spec;
}

async function tokenOf(deps: HookDeps, tx: TenantTx, receiver: StoredObject, spec: ReceiverSpec): Promise<Uint8Array | null> {
  const secret = await getObject(tx, { kind: 'Secret', namespace: receiver.namespace, name: spec.secretRef?.name ?? '' });
  if (secret === null) return null;
  return (await openSecret(tx, deps.keys, secret))['token'] ?? null;
}

/** 503 while the receiver is suspended or not ready, as Flux answers. */
function openType(receiver: StoredObject, spec: ReceiverSpec, digest: string): ServedType {
  if (spec.suspend === true) throw new AppError('unavailable', 'the receiver is suspended');
  const ready = readConditions(receiver.status).some((one) => one.type === 'Ready' && one.status === 'True');
  if (!ready || !isServedType(spec.type) || receiver.status?.['webhookPath'] !== webhookPath(digest)) {
    throw new AppError('unavailable', 'the receiver is not ready; its status says why');
  }
  return spec.type;
}

function isSame(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}

/** Fixed size, whatever a sender calls its delivery. */
function keyOf(deliveryId: string): string {
  return createHash('sha256').update(deliveryId, 'utf8').digest('hex');
}

/** Status writes of the runtime may move an object between the read and the write: the whole transaction is repeated, the delivery id included. */
async function withoutConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = maxAttempts; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 1 || !(error instanceof AppError) || error.code !== 'conflict') throw error;
    }
  }
}
