import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** One part that the process cannot work without. `trouble` is null, or a sentence of our own: never an error's text, which may hold a URL. */
export type Dependency = Readonly<{ name: string; trouble(): Promise<string | null> }>;

export type HealthOptions = Readonly<{ listen: string /** 0: none. */; port: number; dependencies: readonly Dependency[] }>;
export type HealthServer = Readonly<{ /** Null where no port was asked for. */ port: number | null; close(): Promise<void> }>;

const PROBE_MS = 2_000;
const HEADERS_MS = 2_000;
const MAX_CONNECTIONS = 32;

/**
 * Liveness and readiness of a scheduler or worker over plain HTTP, without any tenant data: `/healthz` answers 200 while the process can answer at all; `/readyz` 200, or 503 with a line
 * for each dependency that does not answer within 2 s. Throws when the port is taken.
 */
export async function openHealth({ listen, port, dependencies }: HealthOptions): Promise<HealthServer> {
  if (port === 0) return Object.freeze({ port: null, close: async () => undefined });
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: HEADERS_MS, maxHeaderSize: 8_192 }, (request, answer) => {
    void respond(request, answer, dependencies);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(port, listen);
  await once(server, 'listening');
  return Object.freeze({ port, close: () => closed(server) });
}

async function respond(request: IncomingMessage, answer: ServerResponse, dependencies: readonly Dependency[]): Promise<void> {
  request.resume();
  const path = (request.url ?? '').split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD') return say(answer, 405, 'GET only');
  if (path === '/healthz') return say(answer, 200, 'ok');
  if (path !== '/readyz') return say(answer, 404, 'there are /healthz and /readyz');
  const found = await Promise.all(dependencies.map(async (one) => ({ name: one.name, trouble: await look(one) })));
  const lines = found.map(({ name, trouble }) => (trouble === null ? `[+]${name} ok` : `[-]${name} failed: ${trouble}`));
  return say(answer, found.every((one) => one.trouble === null) ? 200 : 503, lines.join('\n'));
}

async function look(one: Dependency): Promise<string | null> {
  const timer: { handle?: ReturnType<typeof setTimeout> } = {};
  const late = new Promise<string>((resolve) => {
    timer.handle = setTimeout(() => resolve(`no answer within ${PROBE_MS} ms`), PROBE_MS);
  });
  try {
    return await Promise.race([one.trouble().catch(() => 'does not answer; the log has the reason'), late]);
  } finally {
    clearTimeout(timer.handle);
  }
}

function say(answer: ServerResponse, status: number, text: string): void {
  answer.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  answer.end(`${text}\n`);
}

async function closed(server: Server): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await done;
}
