import pg from 'pg';
import type { Log } from '#core/log.ts';

export type PoolOptions = Readonly<{ url: string; maxConnections: number; name: string; log: Log }>;

const connectTimeoutMs = 10_000;
/** A server that stops answering on an open connection is noticed after this; each transaction has its own, shorter statement limit. */
const answerTimeoutMs = 60_000;

/** Settings of every connection: queries are sent without waiting for earlier answers, JSON stays text so that big integers survive. */
export function clientConfig(url: string, name: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    pipeline: true,
    types: { getTypeParser: parserOf },
  };
}

/** A pool whose connections all have an error listener: without one, a restarted server would end the process. */
export function openPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(options.url, options.name), max: options.maxConnections, idleTimeoutMillis: 60_000 });
  pool.on('error', (error) => options.log.warn({ code: codeOf(error) }, 'idle database connection lost'));
  pool.on('connect', (client) => {
    client.on('error', (error) => options.log.warn({ code: codeOf(error) }, 'database connection lost'));
  });
  return pool;
}

const json = 114;
const jsonb = 3802;
const timestamptz = 1184;

/** Texts of json columns as they are, timestamptz as epoch ms; the rest as the driver does it (bigint as decimal text). */
function parserOf(oid: number, format?: 'text' | 'binary'): unknown {
  if (oid === json || oid === jsonb) return (text: string) => text;
  const parse: unknown = format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
  if (oid !== timestamptz || typeof parse !== 'function') return parse;
  return (text: string): unknown => {
    const parsed: unknown = parse(text);
    return parsed instanceof Date ? parsed.getTime() : parsed;
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'none';
}
