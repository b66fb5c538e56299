import type { IncomingHttpHeaders } from 'node:http';
import type { Json, JsonObject } from '#core/json.ts';
import type { Principal } from '#core/tenant.ts';
import type { BodyFormat } from '#services/api/wire/content-type.ts';
import type { Query } from '#services/api/wire/query.ts';

/** The body as it arrived, within the limit; `format` passed the closed list of content types. */
export type Body = Readonly<{ format: BodyFormat; bytes: Uint8Array }>;

/** One request, read from the wire but not yet decoded. */
export type Call = Readonly<{
  method: string;
  /** Path without the query string. */
  path: string;
  params: Readonly<Record<string, string>>;
  query: Query;
  headers: IncomingHttpHeaders;
  /** Null when there was no body. */
  body: Body | null;
  /** Names this request in the answer, the log and the audit entry. */
  auditId: string;
  /** Aborted when the client is gone or the server shuts down. */
  signal: AbortSignal;
}>;

/** A request of somebody we know. */
export type SignedInCall = Call & Readonly<{ principal: Principal }>;

/** Writes lines of an open answer. */
export type Sink = Readonly<{
  /** Resolves once the reader has taken enough; false when the reader is gone or too slow, and the body is to end. */
  write(text: string): Promise<boolean>;
  signal: AbortSignal;
}>;

export type Headers = Readonly<Record<string, string | readonly string[]>>;

export type Answer =
  /** Sent as JSON, or as YAML when `format` says so. */
  | Readonly<{ is: 'json'; status: number; value: Json; contentType?: string; format?: 'json' | 'yaml'; headers?: Headers }>
  | Readonly<{ is: 'text'; status: number; text: string; contentType: string; headers?: Headers }>
  /** The body stays open until `run` ends. */
  | Readonly<{ is: 'stream'; contentType: string; run: (sink: Sink) => Promise<void> }>;

export function jsonAnswer(status: number, value: JsonObject, headers: Headers = {}): Answer {
  return { is: 'json', status, value, headers };
}
