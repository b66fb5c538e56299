import type { JWTPayload } from 'jose';

/** Who a verified ID token names. Identity is (issuer, subject); `name` is for people only and never a key (threats H7). */
export type OidcIdentity = Readonly<{ issuer: string; subject: string; name: string; groups: readonly string[]; expiresAtMs: number }>;

export type ClaimRules = Readonly<{ issuer: string; audiences: readonly string[]; groupsClaim: string; nowMs: number; skewMs: number }>;

/** Why a token is refused: for the log, never for the caller. */
export type ClaimProblem = 'subject' | 'audience' | 'azp' | 'iat' | 'exp' | 'groups';

/** Subjects of this form name ServiceAccounts of the plane; no identity provider may say them. */
const reservedPrefix = 'system:';
const maxSubjectLength = 255;
const maxNameLength = 256;
const maxGroups = 1_000;
const maxGroupLength = 256;

/**
 * What jose does not check: that each claim has its type, who the token was made for when it names several (OIDC Core 3.1.3.7, 3 to 5), that it was not issued
 * in the future, and groups. Pure.
 */
export function readClaims(payload: JWTPayload, rules: ClaimRules): OidcIdentity | ClaimProblem {
  const { sub, aud, exp, iat } = payload;
  if (typeof sub !== 'string' || !isSubject(sub)) return 'subject';
  if (!isAudience(aud, rules.audiences)) return 'audience';
  if (!isAuthorizedParty(payload['azp'], aud, rules.audiences)) return 'azp';
  if (typeof iat !== 'number' || !Number.isFinite(iat) || iat * 1_000 > rules.nowMs + rules.skewMs) return 'iat';
  if (typeof exp !== 'number' || !Number.isFinite(exp) || exp <= iat) return 'exp';
  const groups = groupsOf(payload[rules.groupsClaim]);
  if (groups === null) return 'groups';
  return Object.freeze({ issuer: rules.issuer, subject: sub, name: nameOf(payload, sub), groups, expiresAtMs: Math.floor(exp * 1_000) });
}

function isSubject(sub: string): boolean {
  return sub.length > 0 && sub.length <= maxSubjectLength && !sub.toLowerCase().startsWith(reservedPrefix) && !hasControlCharacter(sub);
}

/** jose found one of ours among them; a further audience that we do not know could replay the token here. */
function isAudience(aud: unknown, known: readonly string[]): boolean {
  const named = Array.isArray(aud) ? aud : [aud];
  return named.length > 0 && named.every((one) => typeof one === 'string' && known.includes(one));
}

function isAuthorizedParty(azp: unknown, aud: unknown, known: readonly string[]): boolean {
  if (azp === undefined) return !(Array.isArray(aud) && aud.length > 1);
  return typeof azp === 'string' && known.includes(azp);
}

function groupsOf(claim: unknown): readonly string[] | null {
  if (claim === undefined || claim === null) return Object.freeze([]);
  if (!Array.isArray(claim) || claim.length > maxGroups) return null;
  const groups: string[] = [];
  for (const one of claim) {
    if (typeof one !== 'string' || one === '' || one.length > maxGroupLength || hasControlCharacter(one)) return null;
    groups.push(one);
  }
  return Object.freeze(groups);
}

/** An address that the provider did not verify is no name: audit entries would show a stranger’s. */
function nameOf(payload: JWTPayload, subject: string): string {
  const candidates = [payload['email_verified'] === true ? payload['email'] : undefined, payload['preferred_username']];
  for (const one of candidates) {
    if (typeof one === 'string' && one !== '' && one.length <= maxNameLength && !hasControlCharacter(one)) return one;
  }
  return subject;
}

/** Text that could forge a log line or hide in a terminal: C0 and C1 controls, line and direction marks. */
function hasControlCharacter(text: string): boolean {
  return /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text);
}
