import { isObject, type JsonObject, parseJson } from '#core/json.ts';

/** The claims of a JWT, not verified: for showing and for its expiry. Null for a token of another form. Pure. */
export function claimsOf(token: string): JsonObject | null {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return null;
  try {
    const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
    return isObject(claims) ? claims : null;
  } catch {
    // A token of another form that happens to hold dots.
    return null;
  }
}
