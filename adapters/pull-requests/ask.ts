import type { Static, TSchema } from 'typebox';
import Value from 'typebox/value';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpAnswer } from '#core/http.ts';
import { type JsonObject, stringifyJson } from '#core/json.ts';
import type { ForgeRemote } from '#core/pull-requests.ts';
import type { Clock } from '#core/time.ts';

export type AskOptions = Readonly<{
  http: EgressHttp;
  clock: Clock;
  /** Hosts (with their port, unless it is 80) that the operator lets be reached over plain http. */
  allowHttpHosts: readonly string[];
}>;

export type Question = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Behind the API's address, with its query; encoded. */
  path: string;
  body?: JsonObject;
  headers?: Readonly<Record<string, string>>;
  /** What is done, for messages: `open a pull request`. */
  to: string;
  /** Statuses that are an answer of their own and not an error. */
  besides?: readonly number[];
}>;

export type Ask = (question: Question) => Promise<HttpAnswer>;

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const MAX_RESET_MS = 3_600_000;

/** One request at a time to one repository's server. Redirects are not followed: they would name another repository. Throws as the port says. */
export function createAsk({ http, clock, allowHttpHosts }: AskOptions, remote: ForgeRemote, timeoutMs: number, signal: AbortSignal): Ask {
  return async ({ method, path, body, headers = {}, to, besides = [] }) => {
    const url = `${remote.apiUrl}${path}`;
    const { host } = new URL(url);
    const answer = await http.request({
      url,
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: stringifyJson(body) }),
      credential: remote.credential,
      caPem: remote.caPem,
      clientCertificate: null,
      allowHttp: allowHttpHosts.includes(host),
      maxBytes: MAX_ANSWER_BYTES,
      timeoutMs,
      redirects: 0,
      to: 'buffer',
      signal,
    });
    if ((answer.status >= 200 && answer.status < 300) || besides.includes(answer.status)) return answer;
    throw refusal(answer, `${host} does not ${to} of ${remote.repository} (${answer.status})`, clock);
  };
}

/** The JSON of an answer. Throws AppError upstreamFailed for anything but what the API documents; unknown fields are let be. */
export function parsed<S extends TSchema>(schema: S, answer: HttpAnswer): Static<S> {
  const value = jsonOf(answer);
  if (Value.Check(schema, value)) return value;
  throw new AppError(
    'upstreamFailed',
    `${new URL(answer.finalUrl).host} answers something else than its API documents: correct the address of the API`,
  );
}

function jsonOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // A web page, say: not the documented answer either.
    return null;
  }
}

/** A web address that people may be shown; '' for anything else, such as `javascript:`. Pure. */
export function shownUrl(text: string): string {
  const url = text.length <= 2_048 ? URL.parse(text) : null;
  return url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== ''
    ? ''
    : url.href;
}

/** The words of a server are not quoted: it knows the credential, and could repeat it. */
function refusal(answer: HttpAnswer, said: string, clock: Clock): AppError {
  const { status } = answer;
  const retryAfterMs = answer.retryAfterMs ?? untilResetMs(answer, clock);
  const details = retryAfterMs === null ? {} : { retryAfterMs };
  // GitHub answers 403 when the budget is spent.
  if (status === 429 || (status === 403 && retryAfterMs !== null))
    return new AppError('upstreamFailed', `${said}: its rate limit is reached`, details);
  if (status === 401 || status === 403)
    return new AppError('upstreamAuthFailed', `${said}: it refuses the token, or the token lacks the right to write pull requests`);
  if (status === 404) return new AppError('notFound', `${said}: the repository or a branch does not exist, or the token may not see it`);
  if (status >= 300 && status < 400)
    return new AppError('upstreamFailed', `${said}: it redirects; write the address of the API and the repository's present name`);
  if (status === 400 || status === 409 || status === 422)
    return new AppError(
      'upstreamFailed',
      `${said}: it finds the request invalid; check that both branches exist and that the title and labels are allowed there`,
    );
  return new AppError('upstreamFailed', said, details);
}

/** GitHub and Gitea say so when nothing is left of the budget. */
function untilResetMs({ headers }: HttpAnswer, clock: Clock): number | null {
  const reset = headers['x-ratelimit-reset'];
  if (headers['x-ratelimit-remaining'] !== '0' || reset === undefined || !/^[0-9]{1,12}$/.test(reset)) return null;
  return Math.min(MAX_RESET_MS, Math.max(0, Number(reset) * 1_000 - clock.nowMs()));
}
