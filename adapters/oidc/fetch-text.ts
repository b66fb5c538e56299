import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { AppError } from '#core/errors.ts';

/** One bounded GET over https. `lookup` is the egress client's: it resolves, checks and returns addresses. */
export type FetchText = (url: string, limits: Readonly<{ maxBytes: number; timeoutMs: number }>) => Promise<string>;

export type FetchOptions = Readonly<{
  /** PEM of the authority that signed the issuer's certificate; null for the system's. */
  caPem: string | null;
  /** Address lookup that refuses what the operator does not allow; null for the system's. */
  lookup: LookupFunction | null;
  userAgent: string;
}>;

const maxHeaderBytes = 16_384;
const maxConnections = 4;

/**
 * A fetch for one issuer. Redirects are not followed: a metadata document that moves is one somebody else serves (OIDC Discovery 4.3).
 * Throws AppError unavailable for every answer but 200 with a body inside the limit; the message names the host, never the query.
 */
export function createFetchText(options: FetchOptions): Readonly<{ fetchText: FetchText; close(): Promise<void> }> {
  const agent = new Agent({
    connections: maxConnections,
    maxHeaderSize: maxHeaderBytes,
    connect: {
      ...(options.caPem === null ? {} : { ca: options.caPem }),
      ...(options.lookup === null ? {} : { lookup: options.lookup }),
    },
  });
  const fetchText: FetchText = async (url, limits) => {
    const target = httpsUrl(url);
    const signal = AbortSignal.timeout(limits.timeoutMs);
    try {
      const answer = await request(target, {
        dispatcher: agent,
        signal,
        headers: { accept: 'application/json', 'user-agent': options.userAgent },
      });
      if (answer.statusCode !== 200) {
        await answer.body.dump({ limit: limits.maxBytes });
        throw new AppError('unavailable', `the identity provider at ${target.host} answered ${answer.statusCode}`);
      }
      return await readBounded(answer.body, limits.maxBytes, target.host);
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError('unavailable', `the identity provider at ${target.host} does not answer`, {}, { cause: error });
    }
  };
  return Object.freeze({ fetchText, close: () => agent.close() });
}

function httpsUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new AppError('unavailable', 'the identity provider names an address that is not a plain https URL');
  }
  return url;
}

async function readBounded(body: AsyncIterable<Uint8Array>, maxBytes: number, host: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new AppError('unavailable', `the identity provider at ${host} sent more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
