import { createHmac, timingSafeEqual } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, parseJson } from '#core/json.ts';
import type { Position } from '#services/api/read/page.ts';

/** Where the next page starts, at which version, bound to caller, path and selectors by the signature. */
export type Continuation = Readonly<{ version: string; after: Position }>;

/** What a token is good for: the same caller, path and selectors only. */
export type Binding = Readonly<{ caller: string; path: string; selectors: string }>;

const maxTokenLength = 4_096;

/** Opaque text for `metadata.continue`. */
export function makeContinueToken(key: Uint8Array, { version, after }: Continuation, binding: Binding): string {
  const payload = JSON.stringify({ v: version, ns: after.namespace, n: after.name });
  const body = Buffer.from(payload).toString('base64url');
  return `${body}.${sign(key, payload, binding).toString('base64url')}`;
}

/** Throws AppError badRequest for a token that is forged, cut, or from another caller, path or selector. */
export function readContinueToken(key: Uint8Array, token: string, binding: Binding): Continuation {
  const [body = '', signature = ''] = token.length > maxTokenLength ? [] : token.split('.');
  const payload = Buffer.from(body, 'base64url').toString('utf8');
  const given = Buffer.from(signature, 'base64url');
  const wanted = sign(key, payload, binding);
  if (given.byteLength !== wanted.byteLength || !timingSafeEqual(given, wanted)) {
    throw new AppError('badRequest', 'invalid continue token: it was not made by this server for this request');
  }
  return parsePayload(parseJson(payload));
}

function parsePayload(value: Json): Continuation {
  if (isObject(value) && typeof value.v === 'string' && typeof value.ns === 'string' && typeof value.n === 'string') {
    return { version: value.v, after: { namespace: value.ns, name: value.n } };
  }
  throw new Error('a signed continue token of another shape');
}

function sign(key: Uint8Array, payload: string, { caller, path, selectors }: Binding): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify(['weir continue token', payload, caller, path, selectors]))
    .digest();
}
