import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpAnswer, HttpCredential, HttpRequest } from '#core/http.ts';
import type { RegistryRemote } from '#core/registry.ts';
import type { Clock } from '#core/time.ts';
import { createTokens, refused, retry } from './tokens.ts';

export type AskOptions = Readonly<{
  http: EgressHttp;
  clock: Clock;
  /** Registries as `host[:port]` for which `insecure` may be obeyed. */
  allowHttpHosts: readonly string[];
  /** Host of a registry to the host its tokens come from, beside those everybody knows. */
  realms: ReadonlyMap<string, string>;
}>;

const MAX_BUSY = 3;
const MAX_WAIT_MS = 5_000;

export type Question = Readonly<{
  path: string;
  method?: 'GET' | 'HEAD';
  accept: string;
  maxBytes: number;
  to?: HttpRequest['to'];
  /** Entity tag of what is known: 304 may be the answer. */
  ifNoneMatch?: string | null;
}>;
/** One question to a registry, with the login that it asks for, and again when it is busy for a short while. Every other status is an answer. */
export type Ask = (remote: RegistryRemote, one: Question, timeoutMs: number, signal: AbortSignal) => Promise<HttpAnswer>;

/** Throws AppError egressDenied, upstreamFailed, upstreamAuthFailed, upstreamTooLarge. It keeps tokens. */
export function createAsk({ http, clock, allowHttpHosts, realms }: AskOptions): Ask {
  const tokens = createTokens({ http, clock, realms });
  return async (remote, one, timeoutMs, signal) => {
    if (remote.insecure && !allowHttpHosts.includes(remote.host.toLowerCase()))
      throw new AppError(
        'egressDenied',
        `spec.insecure: the registry ${remote.host} would be reached over plain http://, which the operator has not allowed for it: use https, or ask for the host in WEIR_ALLOW_HTTP_HOSTS`,
      );
    const untilMs = clock.nowMs() + timeoutMs;
    const leftMs = (): number => Math.max(1, untilMs - clock.nowMs());
    const send = (credential: HttpCredential) => http.request(requestOf(remote, one, credential, leftMs(), signal));
    let credential: HttpCredential = tokens.known(remote) ?? { is: 'none' };
    let challenges = 0;
    for (let busy = 0; ; ) {
      const answer = await send(credential);
      // A challenge counts from the registry itself, not from where it redirects to.
      if (answer.status === 401 && challenges < 1 && new URL(answer.finalUrl).host === new URL(originOf(remote)).host) {
        challenges += 1;
        tokens.forget(remote);
        credential = await tokens.answer(remote, answer.headers['www-authenticate'], { timeoutMs: leftMs(), signal });
        continue;
      }
      if (answer.status !== 429 && answer.status !== 503) return answer;
      busy += 1;
      const waitMs = answer.retryAfterMs ?? 1_000;
      if (busy >= MAX_BUSY || waitMs > MAX_WAIT_MS || waitMs >= leftMs())
        throw new AppError('upstreamFailed', `the registry ${remote.host} is busy (${answer.status})`, retry(answer.retryAfterMs));
      await sleep(waitMs, undefined, { signal });
    }
  };
}

function requestOf(remote: RegistryRemote, one: Question, credential: HttpCredential, timeoutMs: number, signal: AbortSignal): HttpRequest {
  return {
    url: `${originOf(remote)}${one.path}`,
    method: one.method ?? 'GET',
    // Digests are of the bytes as stored: nothing may be packed on the way.
    headers: {
      accept: one.accept,
      'accept-encoding': 'identity',
      ...(one.ifNoneMatch === undefined || one.ifNoneMatch === null ? {} : { 'if-none-match': one.ifNoneMatch }),
    },
    credential,
    caPem: remote.caPem,
    clientCertificate: remote.clientCertificate,
    allowHttp: remote.insecure,
    maxBytes: one.maxBytes,
    timeoutMs,
    redirects: 5,
    to: one.to ?? 'buffer',
    signal,
  };
}

/** Throws for every status but 200; `what` is what was asked for, as the user knows it. */
export function expectOk(remote: RegistryRemote, answer: HttpAnswer, what: string): void {
  if (answer.status === 200) return;
  if (answer.status === 401 || answer.status === 403) throw refused(remote, answer.status);
  if (answer.status === 404) throw new AppError('notFound', `${shown(remote)} has not ${what}: push it, or correct the name`);
  throw new AppError(
    'upstreamFailed',
    `the registry ${remote.host} answered ${answer.status} for ${what} of ${remote.repository}`,
    retry(answer.retryAfterMs),
  );
}

/** Docker Hub is named by another host than it answers at. */
function originOf({ host, insecure }: RegistryRemote): string {
  return `${insecure ? 'http' : 'https'}://${host === 'docker.io' ? 'registry-1.docker.io' : host}`;
}

/** Host and repository, for messages. */
export function shown(remote: RegistryRemote): string {
  return `${remote.host}/${remote.repository}`;
}
