import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isObject } from '#core/json.ts';
import type { ServedType } from '#kinds/receiver/support.ts';

/** What a genuine call says about itself. Both are hints. */
export type Delivery = Readonly<{ event: string | null; id: string | null }>;
export type Proof = Readonly<{ is: 'genuine'; delivery: Delivery }> | Readonly<{ is: 'refused'; why: string }>;

type Input = Readonly<{ type: ServedType; headers: IncomingHttpHeaders; body: Uint8Array; token: Uint8Array }>;

/**
 * Whether a call comes from who knows the token (definitions.md 7.3). Comparisons take the same time for every wrong value, over the body as it arrived.
 * Never throws on what was sent. Pure.
 */
export function checkProof({ type, headers, body, token }: Input): Proof {
  switch (type) {
    case 'generic':
      return genuine(null, null);
    case 'generic-hmac':
      return isSigned(header(headers, 'x-signature'), body, token) ? genuine(null, null) : refused('X-Signature is missing or wrong');
    case 'github': {
      const signature = header(headers, 'x-hub-signature-256') ?? header(headers, 'x-hub-signature');
      if (!isSigned(signature, body, token)) return refused('X-Hub-Signature-256 is missing or wrong');
      if (!isJsonObject(githubPayload(headers, body))) return refused('the body is no JSON object');
      return genuine(header(headers, 'x-github-event'), header(headers, 'x-github-delivery'));
    }
    case 'gitlab':
      if (!isEqual(header(headers, 'x-gitlab-token'), token)) return refused('X-Gitlab-Token is missing or wrong');
      if (!isJsonObject(Buffer.from(body).toString('utf8'))) return refused('the body is no JSON object');
      return genuine(header(headers, 'x-gitlab-event'), header(headers, 'x-gitlab-event-uuid'));
  }
}

/** Whether `spec.events` lets an event through: compared without case, and everything passes an empty list. Types without an event header are not filtered. Pure. */
export function isListed(type: ServedType, events: readonly string[], event: string | null): boolean {
  if (events.length === 0 || type === 'generic' || type === 'generic-hmac') return true;
  return event !== null && events.some((one) => one.toLowerCase() === event.toLowerCase());
}

function genuine(event: string | null, id: string | null): Proof {
  return { is: 'genuine', delivery: { event, id } };
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
  const text = Buffer.from(body).toString('utf8');
  const isForm = (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return isForm ? (new URLSearchParams(text).get('payload') ?? '') : text;
}

function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    // Whatever the parser says of a stranger's bytes, the answer is the same 400.
    return false;
  }
}
