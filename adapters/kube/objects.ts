import { type Answer, isNotFound, messageOf } from '#adapters/kube/answer.ts';
import { metadataOnly, metaOf } from '#adapters/kube/meta.ts';
import { objectPath, type ResourceType } from '#adapters/kube/paths.ts';
import type { Session } from '#adapters/kube/session.ts';
import { AppError } from '#core/errors.ts';
import { type JsonObject, stringifyJson } from '#core/json.ts';
import type { LiveMeta } from '#core/ports.ts';

/** One object on the cluster. */
export type Target = Readonly<{ type: ResourceType; namespace: string; name: string }>;

export const readTimeoutMs = 15_000;
export const writeTimeoutMs = 30_000;
export const maxObjectBytes = 8 * 1024 * 1024;

/** The object, or null when the API server itself says NotFound. Throws AppError clusterAnswer (with its words), clusterUnreachable, clusterRefused. */
export async function getObject(session: Session, target: Target, accept: string, signal: AbortSignal): Promise<JsonObject | null> {
  const answer = await session.request({
    method: 'GET',
    path: objectPath(target.type, target.namespace, target.name),
    accept,
    timeoutMs: readTimeoutMs,
    maxBytes: maxObjectBytes,
    signal,
  });
  if (isNotFound(answer)) return null;
  return objectIn(answer, session, target);
}

/** As getObject, metadata alone. */
export async function getMeta(session: Session, target: Target, signal: AbortSignal): Promise<LiveMeta | null> {
  const object = await getObject(session, target, metadataOnly, signal);
  if (object === null) return null;
  return metaIn(object, session, target);
}

/** Throws AppError clusterAnswer when the object has no uid or version: then it is no object. */
export function metaIn(object: JsonObject, session: Session, target: Target): LiveMeta {
  const meta = metaOf(object);
  if (meta === null)
    throw new AppError('clusterAnswer', `cluster ${session.clusterName} answered with no object for ${target.type.kind} ${target.name}`);
  return meta;
}

function objectIn(answer: Answer, session: Session, target: Target): JsonObject {
  if (answer.status === 200 && answer.body !== null) return answer.body;
  if (answer.status === 403)
    throw new AppError('clusterAnswer', `${session.account} may not read ${target.type.kind} ${target.name}: ${messageOf(answer)}`);
  if (answer.status >= 500 || answer.body === null)
    throw new AppError('clusterUnreachable', `cluster ${session.clusterName}: ${messageOf(answer)}`);
  throw new AppError('clusterAnswer', `cluster ${session.clusterName}: ${messageOf(answer)}`);
}

/** Deletes one object of exactly this uid, in the background. The answer is not judged here. */
export function deleteObject(session: Session, target: Target, uid: string, signal: AbortSignal): Promise<Answer> {
  return session.request({
    method: 'DELETE',
    path: objectPath(target.type, target.namespace, target.name),
    body: stringifyJson({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' }),
    contentType: 'application/json',
    accept: metadataOnly,
    timeoutMs: writeTimeoutMs,
    maxBytes: maxObjectBytes,
    signal,
  });
}
