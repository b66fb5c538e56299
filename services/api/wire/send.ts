import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Json, stringifyJson } from '#core/json.ts';
import type { ApiDeps } from '#services/api/deps.ts';
import type { Answer, Sink } from '#services/api/wire/call.ts';
import type { Reply, Request } from '#services/api/wire/http.ts';
import { yamlText } from '#services/api/wire/yaml-text.ts';

const compress = promisify(gzip);
/** Answers from this size are compressed for clients that accept it; kube-apiserver's threshold. */
const minGzipBytes = 131_072;

/** Writes an answer. Every one carries `Cache-Control: no-cache, private` unless it says otherwise (kube-api.md 2.1). */
export async function sendAnswer(deps: ApiDeps, request: Request, reply: Reply, answer: Answer): Promise<Reply> {
  void reply.header('cache-control', 'no-cache, private');
  if (answer.is === 'stream') return sendStream(deps, reply, answer);
  const { status, headers = {} } = answer;
  void reply.code(status);
  for (const [name, value] of Object.entries(headers)) void reply.header(name, typeof value === 'string' ? value : [...value]);
  if (answer.is === 'text') return sendText(request, reply, answer.text, answer.contentType);
  const isYaml = answer.format === 'yaml';
  const text = isYaml ? yamlText(answer.value) : jsonText(answer.value);
  return sendText(request, reply, text, answer.contentType ?? (isYaml ? 'application/yaml' : 'application/json'));
}

export function jsonText(value: Json): string {
  return `${stringifyJson(value)}\n`;
}

async function sendText(request: Request, reply: Reply, text: string, contentType: string): Promise<Reply> {
  void reply.header('content-type', contentType);
  const bytes = Buffer.from(text);
  if (bytes.byteLength < minGzipBytes || !acceptsGzip(request)) return reply.send(bytes);
  void reply.header('content-encoding', 'gzip').header('vary', 'Accept-Encoding');
  return reply.send(await compress(bytes));
}

function acceptsGzip(request: Request): boolean {
  const header = request.headers['accept-encoding'];
  return typeof header === 'string' && header.split(',').some((one) => one.trim() === 'gzip');
}

/** Never compressed, never buffered beyond the limit; headers go out at once (kube-api.md 2.1). */
async function sendStream(deps: ApiDeps, reply: Reply, answer: Extract<Answer, { is: 'stream' }>): Promise<Reply> {
  reply.hijack();
  const { raw } = reply;
  const gone = new AbortController();
  const stop = (): void => gone.abort();
  raw.once('close', stop);
  raw.writeHead(200, { ...plainHeaders(reply), 'content-type': answer.contentType });
  // Missing in the types of HTTP/2 answers only; the client must see the headers before the first event.
  if ('flushHeaders' in raw && typeof raw.flushHeaders === 'function') raw.flushHeaders();
  try {
    await answer.run(sinkOf(raw, gone.signal, deps.limits.maxWatchBacklogBytes, deps.limits.slowReaderMs));
  } catch (error) {
    deps.log.error({ error, auditId: reply.getHeader('audit-id') }, 'an open answer ended with an error');
  } finally {
    raw.off('close', stop);
    raw.end();
  }
  return reply;
}

function plainHeaders(reply: Reply): Record<string, string | string[] | number> {
  const headers: Record<string, string | string[] | number> = {};
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) headers[name] = value;
  return headers;
}

type Raw = Reply['raw'];

function sinkOf(raw: Raw, signal: AbortSignal, maxBacklogBytes: number, slowReaderMs: number): Sink {
  return {
    signal,
    async write(text: string): Promise<boolean> {
      if (signal.aborted || raw.destroyed) return false;
      if (raw.write(text)) return true;
      if (raw.writableLength > maxBacklogBytes) return drained(raw, signal, slowReaderMs);
      return true;
    },
  };
}

/** Waits until the reader has caught up; false when it does not within the time. */
function drained(raw: Raw, signal: AbortSignal, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (value: boolean): void => {
      clearTimeout(timer);
      raw.off('drain', onDrain);
      signal.removeEventListener('abort', onAbort);
      resolve(value);
    };
    const onDrain = (): void => end(true);
    const onAbort = (): void => end(false);
    const timer = setTimeout(() => end(false), timeoutMs);
    raw.once('drain', onDrain);
    signal.addEventListener('abort', onAbort);
  });
}
