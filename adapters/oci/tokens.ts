import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpCredential } from '#core/http.ts';
import { at, parseJson, textAt } from '#core/json.ts';
import type { RegistryRemote } from '#core/registry.ts';
import type { Clock } from '#core/time.ts';
import { type Challenge, parseChallenge } from './challenge.ts';

export type Tokens = Readonly<{
  /** What answered the last challenge, while it is good. Nothing is sent to a registry that has not asked. */
  known(remote: RegistryRemote): HttpCredential | null;
  /** Answers a 401: the credential to try once more. Throws AppError upstreamAuthFailed, egressDenied (a realm of a stranger). */
  answer(
    remote: RegistryRemote,
    header: string | undefined,
    limits: Readonly<{ timeoutMs: number; signal: AbortSignal }>,
  ): Promise<HttpCredential>;
  forget(remote: RegistryRemote): void;
}>;

/** Registries whose tokens come from another host of the same owner. */
const KNOWN_REALMS: Readonly<Record<string, string>> = Object.freeze({
  'docker.io': 'auth.docker.io',
  'index.docker.io': 'auth.docker.io',
  'registry-1.docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
});
const MAX_TOKENS = 10_000;
const MAX_TOKEN_BYTES = 65_536;
const DEFAULT_SECONDS = 60;
const MAX_SECONDS = 3_600;
const EARLY_MS = 10_000;

/** Tokens by registry, repository and credential, so that no tenant uses what another's credential brought. */
export function createTokens({
  http,
  clock,
  realms,
}: Readonly<{ http: EgressHttp; clock: Clock; realms: ReadonlyMap<string, string> }>): Tokens {
  const kept = new LRUCache<string, Readonly<{ credential: HttpCredential; untilMs: number }>>({ max: MAX_TOKENS });
  async function fetchToken(
    remote: RegistryRemote,
    challenge: Extract<Challenge, { is: 'bearer' }>,
    limits: Parameters<Tokens['answer']>[2],
  ) {
    const url = realmUrl(remote, challenge, realms);
    const { credential, caPem, clientCertificate } = remote;
    const answer = await http.request({
      url,
      method: 'GET',
      credential,
      caPem,
      clientCertificate,
      allowHttp: remote.insecure,
      maxBytes: MAX_TOKEN_BYTES,
      timeoutMs: limits.timeoutMs,
      redirects: 0,
      to: 'buffer',
      signal: limits.signal,
    });
    if (answer.status === 401 || answer.status === 403) throw refused(remote, answer.status);
    if (answer.status !== 200)
      throw new AppError('upstreamFailed', `the token service of ${remote.host} answered ${answer.status}`, retry(answer.retryAfterMs));
    return readToken(remote, answer.body.toString('utf8'));
  }
  return Object.freeze({
    known(remote: RegistryRemote) {
      const found = kept.get(keyOf(remote));
      return found === undefined || found.untilMs <= clock.nowMs() ? null : found.credential;
    },
    async answer(remote, header, limits) {
      const challenge = parseChallenge(header);
      if (challenge === null || (challenge.is === 'basic' && remote.credential.is !== 'basic')) throw refused(remote, 401);
      if (challenge.is === 'basic') {
        kept.set(keyOf(remote), { credential: remote.credential, untilMs: clock.nowMs() + MAX_SECONDS * 1_000 });
        return remote.credential;
      }
      if (remote.credential.is === 'bearer') return remote.credential;
      const { token, seconds } = await fetchToken(remote, challenge, limits);
      const credential = { is: 'bearer', token } as const;
      kept.set(keyOf(remote), { credential, untilMs: clock.nowMs() + seconds * 1_000 - EARLY_MS });
      return credential;
    },
    forget: (remote) => void kept.delete(keyOf(remote)),
  } satisfies Tokens);
}

/** The realm is the registry's own host, or the one listed for it: else a registry could have our credential sent to a stranger (threats B10). */
function realmUrl(
  remote: RegistryRemote,
  { realm, service }: Extract<Challenge, { is: 'bearer' }>,
  realms: ReadonlyMap<string, string>,
): string {
  const url = URL.canParse(realm) ? new URL(realm) : null;
  if (url === null || url.username !== '' || url.password !== '')
    throw new AppError('upstreamFailed', `the registry ${remote.host} names no usable address for tokens`);
  const scheme = remote.insecure ? 'http' : 'https';
  const own = new URL(`${scheme}://${remote.host}`);
  const listed = realms.get(remote.host) ?? (Object.hasOwn(KNOWN_REALMS, remote.host) ? KNOWN_REALMS[remote.host] : undefined);
  const isOwn = url.origin === own.origin;
  const isListed = url.protocol === 'https:' && url.host === listed;
  if (!isOwn && !isListed)
    throw new AppError(
      'egressDenied',
      `the registry ${remote.host} wants its tokens fetched from ${url.host}, which is not its own host and not listed for it`,
    );
  if (service !== null) url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${remote.repository}:pull`);
  return url.href;
}

function readToken(remote: RegistryRemote, text: string): Readonly<{ token: string; seconds: number }> {
  try {
    const body = parseJson(text);
    const token = textAt(body, 'token') ?? textAt(body, 'access_token') ?? '';
    const lasts = at(body, 'expires_in');
    if (/^[\x21-\x7e]+$/.test(token))
      return { token, seconds: typeof lasts === 'number' && lasts > 0 ? Math.min(MAX_SECONDS, lasts) : DEFAULT_SECONDS };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new AppError('upstreamFailed', `the token service of ${remote.host} answers no token`);
}

/** Names a repository as one credential sees it; the credential cannot be read from it. */
export function keyOf({ host, repository, insecure, credential, caPem, clientCertificate }: RegistryRemote): string {
  return createHash('sha256')
    .update(JSON.stringify([host, repository, insecure, credential, caPem, clientCertificate]))
    .digest('base64');
}

export function refused(remote: RegistryRemote, status: number): AppError {
  const hint =
    remote.credential.is === 'none'
      ? 'it asks for a credential: name a Secret of type kubernetes.io/dockerconfigjson'
      : 'it refuses the credential';
  return new AppError('upstreamAuthFailed', `the registry ${remote.host} answered ${status} for ${remote.repository}: ${hint}`);
}

export function retry(retryAfterMs: number | null): Readonly<{ retryAfterMs?: number }> {
  return retryAfterMs === null ? {} : { retryAfterMs };
}
