import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Agent, type RequestOptions, request } from 'node:https';
import { reasonOf, unanswered } from '#services/cli/failure.ts';

export type HttpCall = Readonly<{
  agent: Agent;
  url: URL;
  method: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
  signal?: AbortSignal;
  timeoutMs: number;
  maxBytes: number;
}>;
export type HttpAnswer = Readonly<{ status: number; headers: IncomingHttpHeaders; text: string }>;

/**
 * One request; redirects are not followed, so that a credential goes nowhere else. Any status is an answer.
 * Throws CliFailure (exit 2) without an answer, and above the limits of time and bytes.
 */
export async function send(call: HttpCall): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
  try {
    const incoming = await start(call, signal);
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, text: await readAll(incoming, call.maxBytes) };
  } catch (error) {
    call.signal?.throwIfAborted();
    const why = deadline.aborted ? `no answer within ${call.timeoutMs / 1_000} s` : reasonOf(error);
    throw unanswered(`${call.url.origin} could not be asked: ${why}`, hintFor(error), { cause: error });
  }
}

/** The answer once its headers are there; the body is still to be read. Ends with the signal. */
export function start(call: Omit<HttpCall, 'timeoutMs' | 'maxBytes' | 'signal'>, signal: AbortSignal): Promise<IncomingMessage> {
  // Said by hand: Node would send the body of a DELETE without its length.
  const length = call.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(call.body)) };
  const options: RequestOptions = { method: call.method, agent: call.agent, headers: { ...call.headers, ...length }, signal };
  return new Promise((resolve, reject) => {
    const outgoing = request(call.url, options, resolve);
    outgoing.once('error', reject);
    outgoing.end(call.body);
  });
}

async function readAll(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxBytes) throw new Error(`the answer is above the limit of ${maxBytes} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const certificateCodes: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function hintFor(error: unknown): Readonly<{ next?: string }> {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  if (typeof code === 'string' && certificateCodes.has(code))
    return { next: 'name the file of its certificate authority: --ca FILE, or WEIR_CA_FILE' };
  return {};
}
