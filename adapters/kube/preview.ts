import { AppError } from '#core/errors.ts';
import { type JsonObject, stringifyJson } from '#core/json.ts';
import type { ApplyItem } from '#core/ports.ts';
import { cutMessage, messageOf } from './answer.ts';
import { getObject, maxObjectBytes, type Target, writeTimeoutMs } from './objects.ts';
import { objectPath } from './paths.ts';
import { maskSecretValues } from './secret-mask.ts';
import type { Session } from './session.ts';

/** Who asks, and whose fields the apply would write. */
export type Asking = Readonly<{ session: Session; fieldManager: string }>;
/** What an object is, and what it would be after the apply. `live` is null when it would be created. */
export type Preview = Readonly<{ live: JsonObject | null; after: JsonObject }>;

/** One read and one server-side dry run as the tenant: nothing is written. Throws AppError clusterAnswer with the API server's words, Secret values masked. */
export async function previewApply(asking: Asking, target: Target, item: ApplyItem, signal: AbortSignal): Promise<Preview> {
  const live = await getObject(asking.session, target, 'application/json', signal);
  if (live !== null && item.mode === 'IfNotPresent') return { live, after: live };
  return { live, after: await dryRun(asking, target, item, signal) };
}

async function dryRun({ session, fieldManager }: Asking, target: Target, item: ApplyItem, signal: AbortSignal): Promise<JsonObject> {
  const answer = await session.request({
    method: 'PATCH',
    path: objectPath(target.type, target.namespace, target.name),
    query: { fieldManager, force: 'true', dryRun: 'All' },
    body: stringifyJson(item.manifest),
    contentType: 'application/apply-patch+yaml',
    timeoutMs: writeTimeoutMs,
    maxBytes: maxObjectBytes,
    signal,
  });
  const done = answer.status === 200 || answer.status === 201;
  if (!done || answer.body === null)
    throw new AppError(
      'clusterAnswer',
      cutMessage(`${item.ref.kind} ${item.ref.name}: ${maskSecretValues(messageOf(answer), item.manifest)}`),
    );
  return answer.body;
}
