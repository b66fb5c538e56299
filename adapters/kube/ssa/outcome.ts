import { type Answer, cutMessage, messageOf, statusOf } from '#adapters/kube/answer.ts';
import { maskSecretValues } from '#adapters/kube/secret-mask.ts';
import type { Applied, ApplyItem, LiveMeta, ObjectRef } from '#core/ports.ts';

/** `Deployment apps/web` for messages. */
export function nameOf(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}

export function succeeded(item: ApplyItem, action: Applied['action'], meta: LiveMeta, message?: string): Applied {
  return {
    id: item.id,
    action,
    uid: meta.uid,
    generation: meta.generation,
    resourceVersion: meta.resourceVersion,
    ...(message === undefined ? {} : { message }),
  };
}

export function failed(item: ApplyItem, message: string): Applied {
  return { id: item.id, action: 'failed', uid: null, generation: null, resourceVersion: null, message: cutMessage(message) };
}

export function skipped(item: ApplyItem, message: string): Applied {
  return { id: item.id, action: 'skipped', uid: null, generation: null, resourceVersion: null, message };
}

export function unknown(item: ApplyItem, message: string): Applied {
  return {
    id: item.id,
    action: 'unknown',
    uid: null,
    generation: null,
    resourceVersion: null,
    message: cutMessage(message),
    unknown: true,
  };
}

/** What a refusal of the API server comes to. Its own words are kept; a missing right names the account. */
export function refusal(item: ApplyItem, answer: Answer, account: string): Applied {
  const words = maskSecretValues(messageOf(answer), item.manifest);
  if (answer.status === 403) return failed(item, `${nameOf(item.ref)}: ${account} was refused: ${words}`);
  if (isUncertain(answer)) return unknown(item, `${nameOf(item.ref)}: ${words}`);
  return failed(item, `${nameOf(item.ref)}: ${words}`);
}

/**
 * A write that ended in a server error may have happened when something in between answered, or when the API server itself lost sight of its store. Its other
 * errors (a webhook that failed, a body it could not convert, overload) come before anything is stored.
 */
export function isUncertain(answer: Answer): boolean {
  if (answer.status < 500) return false;
  const status = statusOf(answer);
  if (status === null || answer.status === 504) return true;
  if (answer.status === 503 || /webhook|admission/i.test(status.message)) return false;
  return /etcd|time.?out|deadline|unavailable|transport|connection|canceled|leader/i.test(status.message);
}

/** Public source: messages of `k8s.io/kubernetes` validation (`field is immutable`, StatefulSet and roleRef have their own), CEL rules of custom resources. */
export function isImmutableField(answer: Answer): boolean {
  if (answer.status !== 422) return false;
  const status = statusOf(answer);
  return (
    status !== null &&
    /immutable|updates to statefulset spec for fields other than|cannot change roleRef/i.test(
      `${status.message} ${status.causes.map((cause) => cause.message).join(' ')}`,
    )
  );
}

/** What was thrown, as an Error that can be thrown again. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
