import { createHash } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpAnswer, HttpCredential, HttpRequest } from '#core/http.ts';
import type { Clock } from '#core/time.ts';
import { type Agents, createAgents } from './agents.ts';
import { decoded, readBuffer, readFile } from './decode.ts';
import type { EgressPolicy } from './egress.ts';
import { failureOf } from './failure.ts';

export type EgressHttpOptions = Readonly<{ egress: EgressPolicy; userAgent: string; clock: Clock }>;

const MAX_REDIRECTS = 5;
const MAX_REFUSAL_BYTES = 65_536;
const MAX_RETRY_AFTER_MS = 3_600_000;
const REDIRECTS: ReadonlySet<number> = Object.freeze(new Set([301, 302, 303, 307, 308]));

/** The one client for addresses that users write: sources, registries, charts, channels. Certificates are always verified; HTTP/1.1 only. */
export function createEgressHttp({ egress, userAgent, clock }: EgressHttpOptions): EgressHttp {
  const agents = createAgents(egress.egressLookup);
  return Object.freeze({
    async request(one: HttpRequest): Promise<HttpAnswer> {
      const deadline = AbortSignal.timeout(one.timeoutMs);
      const signal = AbortSignal.any([one.signal, deadline]);
      const first = checkedUrl(one.url, one.allowHttp === true);
      let url = first;
      let trusted = true;
      try {
        for (let hops = 0; ; hops += 1) {
          const answer = await hop({ one, url, trusted, signal, agents, userAgent, clock });
          if ('answer' in answer) return answer.answer;
          if (hops >= Math.min(one.redirects, MAX_REDIRECTS))
            throw new AppError('egressDenied', `the host ${first.host} redirects more than ${hops} times`);
          const next = checkedUrl(new URL(answer.location, url).href, one.allowHttp === true && url.protocol === 'http:');
          // Dropped for good: a way back would let the stranger choose what the credential is used for.
          trusted &&= next.origin === first.origin;
          url = next;
        }
      } catch (error) {
        one.signal.throwIfAborted();
        throw failureOf(error, url.host, deadline.aborted ? one.timeoutMs : null);
      }
    },
    close: () => agents.close(),
  });
}

type Hop = Readonly<{
  one: HttpRequest;
  url: URL;
  trusted: boolean;
  signal: AbortSignal;
  agents: Agents;
  userAgent: string;
  clock: Clock;
}>;

async function hop({ one, url, trusted, signal, agents, userAgent, clock }: Hop): Promise<{ answer: HttpAnswer } | { location: string }> {
  const response = await agents.for(one, trusted).request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: one.method,
    headers: headersOf(one, trusted, userAgent),
    body: one.body ?? null,
    signal,
  });
  const headers = plainHeaders(response.headers);
  const location = headers['location'];
  const isRead = one.method === 'GET' || one.method === 'HEAD';
  if (REDIRECTS.has(response.statusCode) && location !== undefined && one.redirects > 0 && isRead) {
    await response.body.dump({ limit: MAX_REFUSAL_BYTES, signal });
    return { location };
  }
  const good = response.statusCode >= 200 && response.statusCode < 300;
  const hash = createHash('sha256');
  const bytes = decoded(response.body, one.method === 'HEAD' ? undefined : headers['content-encoding'], hash);
  const path = good && one.to !== 'buffer' ? one.to.file : null;
  const base = { status: response.statusCode, headers, path, finalUrl: url.href, retryAfterMs: retryAfterMs(headers, clock) };
  if (path !== null) {
    const sizeBytes = await readFile(bytes, path, one.maxBytes, signal);
    return { answer: Object.freeze({ ...base, body: Buffer.alloc(0), sizeBytes, digest: `sha256:${hash.digest('hex')}` }) };
  }
  const body = await readBuffer(bytes, good ? one.maxBytes : Math.min(one.maxBytes, MAX_REFUSAL_BYTES), signal);
  return { answer: Object.freeze({ ...base, body, sizeBytes: body.byteLength, digest: `sha256:${hash.digest('hex')}` }) };
}

function headersOf(one: HttpRequest, trusted: boolean, userAgent: string): Record<string, string> {
  return {
    'user-agent': userAgent,
    'accept-encoding': 'gzip',
    ...one.headers,
    ...(trusted ? { ...one.private, ...authorization(one.credential) } : {}),
  };
}

function authorization(credential: HttpCredential): Readonly<Record<string, string>> {
  switch (credential.is) {
    case 'none':
      return {};
    case 'basic':
      return { authorization: `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}` };
    case 'bearer':
      return { authorization: `Bearer ${credential.token}` };
  }
}

function checkedUrl(text: string, allowHttp: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new AppError('egressDenied', 'the address is no https:// URL');
  if (url.username !== '' || url.password !== '')
    throw new AppError('egressDenied', `the address of ${url.host} holds a credential: write it into a Secret`);
  if (url.protocol === 'http:' && !allowHttp)
    throw new AppError('egressDenied', `the host ${url.host} would be reached over plain http://, which is not allowed here`);
  return url;
}

function plainHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  const plain: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) plain[name] = typeof value === 'string' ? value : value.join(', ');
  return plain;
}

/** RFC 9110 section 10.2.3. */
function retryAfterMs(headers: Readonly<Record<string, string>>, clock: Clock): number | null {
  const text = headers['retry-after'];
  if (text === undefined) return null;
  const ms = /^[0-9]{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - clock.nowMs();
  return Number.isNaN(ms) ? null : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
}
