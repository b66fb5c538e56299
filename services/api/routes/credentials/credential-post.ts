import { AppError, type Cause } from '#core/errors.ts';
import { at, isObject, type Json, type JsonObject, parseJson } from '#core/json.ts';
import { parseRfc3339 } from '#core/time.ts';
import type { Body } from '#services/api/wire/call.ts';
import { decodeObject } from '#services/api/wire/decode.ts';
import { invalid } from '#services/api/wire/status.ts';

/** A bootstrap token with its times. Secret: it goes into the sealed row and nowhere else. */
export type PostedCredential = Readonly<{ token: string; issuedAtMs: number; expiresAtMs: number }>;

const credentials = Object.freeze({ group: 'weir.dev', plural: 'clustercredentials', kind: 'ClusterCredentials' });
const fields: readonly string[] = Object.freeze(['apiVersion', 'kind', 'metadata', 'token', 'expiresAt']);
const maxTokenLength = 16_384;
const bearerToken = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Reads `{token, expiresAt?}`. Without `expiresAt` the token's own `exp` counts (it is a JWT of the cluster, whose API server checks it; here only its age is of interest).
 * Throws AppError badRequest, invalid; no message quotes the token. Pure.
 */
export function readCredentialPost(body: Body | null, { name, nowMs }: Readonly<{ name: string; nowMs: number }>): PostedCredential {
  if (body === null) throw new AppError('badRequest', 'the body of the request must be an object with the field token');
  const { value } = decodeObject(body);
  const unknown = Object.keys(value).filter((one) => !fields.includes(one));
  if (unknown.length > 0)
    throw new AppError('badRequest', `strict decoding error: unknown field ${JSON.stringify(unknown[0]?.slice(0, 64))}`);
  const causes: Cause[] = [];
  const token = tokenOf(value, causes);
  const claims = claimsOf(token);
  const expiresAtMs = expiryOf(value, claims, nowMs, causes);
  if (causes.length > 0) throw invalid(credentials, name, causes);
  return { token, issuedAtMs: secondsAt(claims, 'iat') ?? nowMs, expiresAtMs };
}

function tokenOf({ token }: JsonObject, causes: Cause[]): string {
  if (typeof token === 'string' && token.length <= maxTokenLength && bearerToken.test(token)) return token;
  causes.push({
    reason: token === undefined ? 'FieldValueRequired' : 'FieldValueInvalid',
    field: 'token',
    message: 'a bearer token of at most 16384 characters is needed',
  });
  return '';
}

function expiryOf({ expiresAt }: JsonObject, claims: Json, nowMs: number, causes: Cause[]): number {
  const atMs = expiresAt === undefined ? secondsAt(claims, 'exp') : typeof expiresAt === 'string' ? parseRfc3339(expiresAt) : null;
  if (atMs === null) {
    causes.push({
      reason: 'FieldValueRequired',
      field: 'expiresAt',
      message: 'a time (RFC 3339) is needed where the token does not tell its own',
    });
    return 0;
  }
  if (atMs <= nowMs)
    causes.push({ reason: 'FieldValueInvalid', field: 'expiresAt', message: 'must be in the future: ask the cluster for a new token' });
  return atMs;
}

function secondsAt(claims: Json, claim: string): number | null {
  const seconds = at(claims, claim);
  return typeof seconds === 'number' && seconds > 0 ? Math.floor(seconds * 1_000) : null;
}

/** The claims of a JWT, unverified; null for any other token. */
function claimsOf(token: string): Json {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return null;
  try {
    const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
    return isObject(claims) ? claims : null;
  } catch {
    // An opaque token that happens to hold dots.
    return null;
  }
}
