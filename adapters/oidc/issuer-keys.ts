import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { FetchText } from '#adapters/oidc/fetch-text.ts';
import { AppError } from '#core/errors.ts';
import { isObject, type Json, parseJson, textAt } from '#core/json.ts';
import type { Clock } from '#core/time.ts';

export type IssuerKeysOptions = Readonly<{ issuer: string; fetchText: FetchText; clock: Clock }>;

/** The signing keys of one issuer, found by OIDC Discovery 1.0 and kept for a while. */
export interface IssuerKeys {
  /** Key set by which jose chooses; throws AppError unavailable when the issuer does not answer and nothing fresh enough is kept. */
  current(): Promise<JWTVerifyGetKey>;
  /** After an unknown key id: looks again, at most once per cooldown. False when nothing was looked up. Throws as `current`. */
  refresh(): Promise<boolean>;
}

const documentLimits = Object.freeze({ maxBytes: 262_144, timeoutMs: 5_000 });
const freshMs = 5 * 60_000;
/** With the issuer down, known keys count a little longer: logins of people who hold a valid token go on. */
const staleMs = 60 * 60_000;
/** A token with an invented key id must not make us ask the issuer each time. */
const cooldownMs = 10_000;
const maxKeys = 64;
const signingTypes: readonly string[] = Object.freeze(['RSA', 'EC', 'OKP']);

type Kept = Readonly<{ keys: JWTVerifyGetKey; atMs: number }>;

export function createIssuerKeys({ issuer, fetchText, clock }: IssuerKeysOptions): IssuerKeys {
  let kept: Kept | null = null;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let running: Promise<Kept> | null = null;

  function look(): Promise<Kept> {
    running ??= loadKeys(issuer, fetchText)
      .then((keys) => {
        kept = Object.freeze({ keys, atMs: clock.nowMs() });
        return kept;
      })
      .finally(() => {
        running = null;
      });
    triedAtMs = clock.nowMs();
    return running;
  }

  return Object.freeze({
    async current(): Promise<JWTVerifyGetKey> {
      const ageMs = kept === null ? Number.POSITIVE_INFINITY : clock.nowMs() - kept.atMs;
      if (kept !== null && ageMs < freshMs) return kept.keys;
      if (kept !== null && ageMs < staleMs && clock.nowMs() - triedAtMs < cooldownMs) return kept.keys;
      try {
        return (await look()).keys;
      } catch (error) {
        if (kept !== null && ageMs < staleMs) return kept.keys;
        throw error;
      }
    },
    async refresh(): Promise<boolean> {
      if (running === null && clock.nowMs() - triedAtMs < cooldownMs) return false;
      await look();
      return true;
    },
  });
}

/** The issuer of the metadata must be the configured one, byte for byte (OIDC Discovery 4.3, RFC 8414 3.3). */
async function loadKeys(issuer: string, fetchText: FetchText): Promise<JWTVerifyGetKey> {
  const metadata = parseDocument(await fetchText(metadataUrl(issuer), documentLimits));
  if (textAt(metadata, 'issuer') !== issuer) throw new AppError('unavailable', 'the identity provider’s metadata names another issuer');
  const jwksUri = textAt(metadata, 'jwks_uri');
  if (jwksUri === undefined) throw new AppError('unavailable', 'the identity provider’s metadata lacks jwks_uri');
  return createLocalJWKSet(signingKeys(parseDocument(await fetchText(jwksUri, documentLimits))));
}

export function metadataUrl(issuer: string): string {
  return `${issuer.endsWith('/') ? issuer.slice(0, -1) : issuer}/.well-known/openid-configuration`;
}

function parseDocument(text: string): Json {
  try {
    return parseJson(text);
  } catch (error) {
    throw new AppError('unavailable', 'the identity provider sent something that is not JSON', {}, { cause: error });
  }
}

/** Public signature keys only: a symmetric key in a key set would let anybody who reads it sign (threats H2). */
function signingKeys(document: Json): JSONWebKeySet {
  const listed = isObject(document) && Array.isArray(document['keys']) ? document['keys'] : null;
  if (listed === null || listed.length > maxKeys) {
    throw new AppError('unavailable', `the identity provider’s key set is no list of at most ${maxKeys} keys`);
  }
  const keys: Record<string, string>[] = [];
  for (const one of listed) {
    const key = publicKey(one);
    if (key !== null) keys.push(key);
  }
  return { keys: keys.map((key) => ({ ...key, kty: key['kty'] ?? '' })) };
}

const publicFields: readonly string[] = Object.freeze(['kty', 'kid', 'use', 'alg', 'crv', 'x', 'y', 'n', 'e']);

function publicKey(key: unknown): Record<string, string> | null {
  if (!isObject(key)) return null;
  if (!signingTypes.includes(textAt(key, 'kty') ?? '') || (textAt(key, 'use') ?? 'sig') !== 'sig') return null;
  const texts: Record<string, string> = {};
  for (const field of publicFields) {
    const value = textAt(key, field);
    if (value !== undefined) texts[field] = value;
  }
  return texts;
}
