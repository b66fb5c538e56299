import { decodeProtectedHeader, errors, type JWTVerifyGetKey, type JWTVerifyResult, jwtVerify, type ProtectedHeaderParameters } from 'jose';
import { type OidcIdentity, readClaims } from '#adapters/oidc/claims.ts';
import type { FetchText } from '#adapters/oidc/fetch-text.ts';
import { createIssuerKeys } from '#adapters/oidc/issuer-keys.ts';
import { AppError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';

/** Signature algorithms that an issuer may use: asymmetric ones only. `none` and HS* cannot be configured (RFC 8725 3.1, threats H2). */
export const oidcAlgorithms = Object.freeze([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const);
export type OidcAlgorithm = (typeof oidcAlgorithms)[number];

export type OidcOptions = Readonly<{
  issuer: string;
  /** Client ids whose tokens count. */
  audiences: readonly string[];
  algorithms: readonly OidcAlgorithm[];
  groupsClaim: string;
  fetchText: FetchText;
  clock: Clock;
}>;

export interface OidcVerifier {
  /** The identity in an ID token. Throws AppError unauthorized (cause: a word for the log) or unavailable when the issuer cannot be asked. No tenant data. */
  verify(token: string): Promise<OidcIdentity>;
}

const skewSeconds = 60;
const maxTokenLength = 16_384;
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Verifies OIDC ID tokens (OIDC Core 3.1.3.7) of one issuer. The nonce belongs to the login that asked for the token: the client compares it.
 * Nothing about a token is kept, so that no token can be answered with another's claims (threats H3).
 */
export function createOidcVerifier(options: OidcOptions): OidcVerifier {
  const keys = createIssuerKeys(options);
  return Object.freeze({
    async verify(token: string): Promise<OidcIdentity> {
      checkShape(token, options.algorithms);
      const verified = await verifySignature(token, await keys.current(), options).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !(await keys.refresh())) throw refusal(error);
        return verifySignature(token, await keys.current(), options).catch((again: unknown) => {
          throw refusal(again);
        });
      });
      const { clock, issuer, audiences, groupsClaim } = options;
      const claims = readClaims(verified.payload, { issuer, audiences, groupsClaim, nowMs: clock.nowMs(), skewMs: skewSeconds * 1_000 });
      if (typeof claims === 'string') throw refusal(new Error(claims));
      return claims;
    },
  });
}

/** Before any key is looked up: three parts, a known algorithm, an ID token, nothing critical that we do not understand. */
function checkShape(token: string, algorithms: readonly string[]): void {
  if (token.length > maxTokenLength || !compact.test(token)) throw refusal(new Error('shape'));
  let header: ProtectedHeaderParameters;
  try {
    header = decodeProtectedHeader(token);
  } catch (error) {
    throw refusal(error);
  }
  if (header.alg === undefined || !algorithms.includes(header.alg)) throw refusal(new Error('algorithm'));
  if (header.typ !== undefined && header.typ.toUpperCase() !== 'JWT') throw refusal(new Error('type'));
  if (header.crit !== undefined) throw refusal(new Error('crit'));
}

function verifySignature(token: string, keys: JWTVerifyGetKey, options: OidcOptions): Promise<JWTVerifyResult> {
  return jwtVerify(token, keys, {
    algorithms: [...options.algorithms],
    issuer: options.issuer,
    audience: [...options.audiences],
    clockTolerance: skewSeconds,
    currentDate: new Date(options.clock.nowMs()),
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
  });
}

function refusal(cause: unknown): AppError {
  return cause instanceof AppError ? cause : new AppError('unauthorized', 'Unauthorized', {}, { cause });
}
