import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isObject, type JsonObject, textAt } from '#core/json.ts';
import type { ServedType } from '#kinds/receiver/support.ts';
import { isPayload, type PayloadType } from './payloads.ts';

/** What a genuine call says about itself. Both are hints. */
export type Delivery = Readonly<{ event: string | null; id: string | null }>;
export type Proof = Readonly<{ is: 'genuine'; delivery: Delivery }> | Readonly<{ is: 'refused'; why: string }>;

type Input = Readonly<{ type: ServedType; headers: IncomingHttpHeaders; body: Uint8Array; token: Uint8Array }>;

/**
 * Whether a call comes from who knows the token (definitions.md 7.3). Comparisons take the same time for every wrong value, over the body as it arrived.
 * Never throws on what was sent. Pure.
 */
export function checkProof(input: Input): Proof {
  const { type, headers, body, token } = input;
  const signature = header(headers, 'x-hub-signature-256') ?? header(headers, 'x-hub-signature');
  switch (type) {
    case 'generic':
      return genuine(null, null);
    case 'generic-hmac':
      return isSigned(header(headers, 'x-signature'), body, token) ? genuine(null, null) : refused('X-Signature is missing or wrong');
    case 'github':
      if (!isSigned(signature, body, token)) return refused('X-Hub-Signature-256 is missing or wrong');
      return withObject(githubPayload(headers, body), header(headers, 'x-github-event'), header(headers, 'x-github-delivery'));
    case 'gitlab':
      if (!isEqual(header(headers, 'x-gitlab-token'), token)) return refused('X-Gitlab-Token is missing or wrong');
      return withObject(utf8(body), header(headers, 'x-gitlab-event'), header(headers, 'x-gitlab-event-uuid'));
    case 'bitbucket':
      if (!isSigned(signature, body, token)) return refused('X-Hub-Signature is missing or wrong');
      // Cloud has the one, Server the other.
      return withObject(utf8(body), header(headers, 'x-event-key'), header(headers, 'x-request-uuid') ?? header(headers, 'x-request-id'));
    case 'harbor':
      return isEqual(header(headers, 'authorization'), token) ? genuine(null, null) : refused('Authorization is missing or wrong');
    case 'nexus':
      if (!isSigned(sha1Of(header(headers, 'x-nexus-webhook-signature')), body, token))
        return refused('X-Nexus-Webhook-Signature is missing or wrong');
      return withObject(utf8(body), null, header(headers, 'x-nexus-webhook-delivery'));
    case 'dockerhub':
    case 'quay':
    case 'acr':
    case 'cdevents':
      return byPayload(type, headers, jsonObject(utf8(body)));
  }
}

/** Of senders that sign nothing: the path is the proof, and the body must be one of theirs. */
function byPayload(type: PayloadType, headers: IncomingHttpHeaders, payload: JsonObject | null): Proof {
  if (payload === null || !isPayload(type, payload)) return refused(`the body is none that ${type} sends`);
  switch (type) {
    case 'dockerhub':
    case 'quay':
      return genuine(null, null);
    case 'acr':
      return genuine(null, shortText(payload['id']));
    case 'cdevents':
      // The header is what `spec.events` names, as in Flux.
      return genuine(header(headers, 'ce-type'), shortText(textAt(payload, 'context', 'id')));
  }
}

/** Whose calls name an event. */
const withEvents: readonly ServedType[] = Object.freeze(['github', 'gitlab', 'bitbucket', 'cdevents']);

/** Whether `spec.events` lets an event through: compared without case, and everything passes an empty list. Types without an event header are not filtered. Pure. */
export function isListed(type: ServedType, events: readonly string[], event: string | null): boolean {
  if (events.length === 0 || !withEvents.includes(type)) return true;
  return event !== null && events.some((one) => one.toLowerCase() === event.toLowerCase());
}

function genuine(event: string | null, id: string | null): Proof {
  return { is: 'genuine', delivery: { event, id } };
}

/** Their senders' bodies are JSON objects, whatever is in them. */
function withObject(text: string, event: string | null, id: string | null): Proof {
  return jsonObject(text) === null ? refused('the body is no JSON object') : genuine(event, id);
}

function refused(why: string): Proof {
  return { is: 'refused', why };
}

const maxHeaderLength = 512;

function header(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' && value.length <= maxHeaderLength ? value : null;
}

const hashes: readonly string[] = Object.freeze(['sha1', 'sha256', 'sha512']);

/** `<hash>=<hex>` with an HMAC of the body, as GitHub and Flux's generic-hmac send it. */
function isSigned(signature: string | null, body: Uint8Array, token: Uint8Array): boolean {
  const [hash = '', hex = ''] = (signature ?? '').split('=', 2);
  if (!hashes.includes(hash)) return false;
  const expected = createHmac(hash, token).update(body).digest();
  const given = Buffer.from(hex, 'hex');
  return hex.length === expected.length * 2 && given.length === expected.length && timingSafeEqual(given, expected);
}

/** Digests are compared, so that not even the length of the token shows. */
function isEqual(given: string | null, token: Uint8Array): boolean {
  return timingSafeEqual(
    createHash('sha256')
      .update(given ?? '', 'utf8')
      .digest(),
    createHash('sha256').update(token).digest(),
  );
}

/** GitHub can send the JSON as the form field `payload`. */
function githubPayload(headers: IncomingHttpHeaders, body: Uint8Array): string {
  const text = utf8(body);
  const isForm = (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return isForm ? (new URLSearchParams(text).get('payload') ?? '') : text;
}

/** Nexus sends the digest alone. */
function sha1Of(hex: string | null): string | null {
  return hex === null ? null : `sha1=${hex}`;
}

function utf8(body: Uint8Array): string {
  return Buffer.from(body).toString('utf8');
}

function shortText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= maxHeaderLength ? value : null;
}

function jsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    // Whatever the parser says of a stranger's bytes, the answer is the same 400.
    return null;
  }
}
