import { at, isObject, type Json, type JsonObject, parseJson, textAt } from '#core/json.ts';

/** What a cluster answered: untrusted, bounded. `retryAfterMs` is null when the server named no time. */
export type Answer = Readonly<{
  status: number;
  text: string;
  /** The JSON object in it, or null when it is none. */
  body: JsonObject | null;
  etag: string | null;
  retryAfterMs: number | null;
}>;

/** `metav1.Status`, as far as it is read here. */
export type ApiStatus = Readonly<{
  code: number;
  reason: string;
  message: string;
  causes: readonly Readonly<{ reason: string; field: string; message: string }>[];
}>;

const maxMessageChars = 1_024;
const maxCauses = 20;

/** The object in a text, or null when it is no JSON object. Integers beyond 2^53 survive. Pure. */
export function objectIn(text: string, contentType: string): JsonObject | null {
  if (!contentType.startsWith('application/json')) return null;
  try {
    const value: Json = parseJson(text);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * The Status in an answer, or null. Only a Status is the API server's own word: a 404 page of something in between never means that an
 * object is absent (fault 19).
 */
export function statusOf(answer: Answer): ApiStatus | null {
  const { body } = answer;
  if (body === null || body['kind'] !== 'Status') return null;
  const details = at(body, 'details', 'causes');
  const causes = (Array.isArray(details) ? details : []).slice(0, maxCauses).map((cause: Json) => ({
    reason: textAt(cause, 'reason') ?? '',
    field: textAt(cause, 'field') ?? '',
    message: textAt(cause, 'message') ?? '',
  }));
  return { code: answer.status, reason: textAt(body, 'reason') ?? '', message: textAt(body, 'message') ?? '', causes };
}

/** The objects of a list, or null when the answer is no list. An empty list of metadata says `"items":null` (seen on kube-apiserver 1.37). Pure. */
export function itemsOf(answer: Answer): readonly JsonObject[] | null {
  const items = at(answer.body ?? undefined, 'items');
  if (
    textAt(answer.body ?? undefined, 'kind')?.endsWith('List') !== true ||
    textAt(answer.body ?? undefined, 'metadata', 'resourceVersion') === undefined
  )
    return null;
  if (items === null) return [];
  return Array.isArray(items) ? items.filter(isObject) : null;
}

/** True when the API server itself says that the object does not exist. */
export function isNotFound(answer: Answer): boolean {
  return answer.status === 404 && statusOf(answer)?.reason === 'NotFound';
}

/** The API server's own words, for people: control characters removed, cut at 1 KiB. Pure. */
export function messageOf(answer: Answer): string {
  const status = statusOf(answer);
  const text = status === null || status.message === '' ? `HTTP ${answer.status}` : status.message;
  return cutMessage(text);
}

export function cutMessage(text: string): string {
  const clean = text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, ' ').trim();
  return clean.length <= maxMessageChars ? clean : `${clean.slice(0, maxMessageChars - 1)}…`;
}
