import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { type AgentOptions, newAgent, parseServer } from '#adapters/kube/agent.ts';
import { type Answer, objectIn } from '#adapters/kube/answer.ts';
import { BodyTooLarge, readText, unpacked } from '#adapters/kube/body.ts';
import { type Breaker, createBreaker } from '#adapters/kube/breaker.ts';
import type { Credential } from '#adapters/kube/credential.ts';
import { describeFailure, isKnownUnsent } from '#adapters/kube/failure.ts';
import type { ApiPath } from '#adapters/kube/paths.ts';
import { createSlots, type Slots } from '#adapters/kube/slots.ts';
import { AppError } from '#core/errors.ts';
import type { Clock } from '#core/time.ts';

export type ApiRequest = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: ApiPath;
  query?: Readonly<Record<string, string>>;
  body?: string;
  contentType?: string;
  accept?: string;
  ifNoneMatch?: string;
  credential: Credential;
  timeoutMs: number;
  maxBytes: number;
  signal: AbortSignal;
  /** A heartbeat: goes out even while the breaker is open, since its answer is what closes it. */
  isProbe?: boolean;
}>;

export type WatchRequest = Readonly<{
  path: ApiPath;
  query: Readonly<Record<string, string>>;
  accept: string;
  credential: Credential;
  headersTimeoutMs: number;
  signal: AbortSignal;
}>;
export type WatchAnswer = Readonly<{ status: number; contentType: string; retryAfterMs: number | null; body: Readable }>;

/** Connections to one cluster's API server: one pool for requests, a second one for watches, which never take a request's place. */
export type Pool = Readonly<{
  /**
   * One request. Any HTTP answer but 429 is returned; a 429 is waited out as Retry-After says. Throws AppError clusterUnreachable (never sent, or a
   * read without an answer) or unknownResult (a write whose answer was cut or late). Redirects are not followed. An aborted read throws the signal's reason.
   */
  request(request: ApiRequest): Promise<Answer>;
  /** Opens a watch. The caller reads and destroys the body; aborting the signal ends it. Throws AppError clusterUnreachable. */
  watch(request: WatchRequest): Promise<WatchAnswer>;
  /** Requests sent so far, for tests and metrics. */
  sent(): number;
  limit(): number;
  isOpen(): boolean;
  /** The cluster answers again, as another process found out: the breaker closes. */
  returned(): void;
  close(): Promise<void>;
}>;

export type PoolOptions = AgentOptions &
  Readonly<{
    /** Name of the cluster, for messages. */
    name: string;
    server: string;
    userAgent: string;
    clock: Clock;
  }>;

const connections = 16;
const startSlots = 8;
const maxAttempts = 8;
const defaultRetryAfterMs = 1_000;
const maxRetryAfterMs = 30_000;

export function createPool(options: PoolOptions): Pool {
  const { clock, name } = options;
  const { origin, prefix } = parseServer(options.server);
  const requests = newAgent(options, connections);
  const watches = newAgent(options, null);
  const breaker = createBreaker(clock);
  const slots = createSlots(clock, startSlots, connections);
  const counter = { sent: 0 };

  async function request(one: ApiRequest): Promise<Answer> {
    const deadline = AbortSignal.timeout(one.timeoutMs);
    const signal = AbortSignal.any([one.signal, deadline]);
    for (let attempt = 1; ; attempt += 1) {
      const answer = await once(one, signal, deadline);
      if (answer.status !== 429) return answer;
      if (attempt >= maxAttempts) {
        throw new AppError('clusterUnreachable', `cluster ${name} is overloaded: it refused ${attempt} times (429)`, {
          retryAfterMs: answer.retryAfterMs ?? defaultRetryAfterMs,
        });
      }
    }
  }

  async function once(one: ApiRequest, signal: AbortSignal, deadline: AbortSignal): Promise<Answer> {
    const release = await takeSlot(slots, one, signal, deadline, name);
    try {
      if (one.isProbe !== true) admit(breaker, name);
      const startedMs = clock.nowMs();
      const answer = await send(one, signal, deadline);
      judge(answer, clock.nowMs() - startedMs, breaker, slots);
      return answer;
    } finally {
      release();
    }
  }

  async function send(one: ApiRequest, signal: AbortSignal, deadline: AbortSignal): Promise<Answer> {
    counter.sent += 1;
    try {
      const response = await requests.request({
        origin,
        path: prefix + withQuery(one.path, one.query),
        method: one.method,
        headers: headersFor(one.credential, options.userAgent, one),
        body: one.body ?? null,
        signal,
      });
      const text = await readText(response.body, header(response, 'content-encoding'), one.maxBytes);
      const answer = answerOf(response, text);
      if (answer.status < 300 && answer.body === null && isJson(response)) throw new Error('the answer is no whole JSON object');
      return answer;
    } catch (error) {
      if (one.signal.aborted) breaker.withdrawn();
      else breaker.failed();
      throw failureOf(error, one, deadline, name);
    }
  }

  async function watch(one: WatchRequest): Promise<WatchAnswer> {
    const headersIn = new AbortController();
    const timer = setTimeout(() => headersIn.abort(new Error('no answer in time')), one.headersTimeoutMs);
    try {
      const response = await watches.request({
        origin,
        path: prefix + withQuery(one.path, one.query),
        method: 'GET',
        headers: headersFor(one.credential, options.userAgent, { accept: one.accept }),
        signal: AbortSignal.any([one.signal, headersIn.signal]),
      });
      const body = unpacked(response.body, header(response, 'content-encoding'));
      return { status: response.statusCode, contentType: header(response, 'content-type') ?? '', retryAfterMs: retryAfter(response), body };
    } catch (error) {
      one.signal.throwIfAborted();
      throw unreachable(name, error);
    } finally {
      clearTimeout(timer);
    }
  }

  return Object.freeze({
    request,
    watch,
    sent: () => counter.sent,
    limit: () => slots.limit(),
    isOpen: () => breaker.isOpen(),
    returned: () => breaker.returned(),
    async close(): Promise<void> {
      await Promise.all([requests.destroy(), watches.destroy()]);
    },
  });
}

async function takeSlot(slots: Slots, one: ApiRequest, signal: AbortSignal, deadline: AbortSignal, name: string): Promise<() => void> {
  try {
    return await slots.take(signal);
  } catch (error) {
    if (deadline.aborted && !one.signal.aborted)
      throw new AppError('clusterUnreachable', `cluster ${name} has no free place for a request within ${one.timeoutMs} ms`);
    throw error;
  }
}

function admit(breaker: Breaker, name: string): void {
  const waitMs = breaker.waitMs();
  if (waitMs > 0)
    throw new AppError('clusterUnreachable', `cluster ${name} did not answer; the next try is in ${Math.ceil(waitMs / 1000)} s`, {
      retryAfterMs: Math.ceil(waitMs),
    });
}

function judge(answer: Answer, tookMs: number, breaker: Breaker, slots: Slots): void {
  breaker.answered();
  if (answer.status === 429) slots.refused(Math.min(maxRetryAfterMs, answer.retryAfterMs ?? defaultRetryAfterMs));
  else slots.answered(tookMs);
}

/** A write that may have reached the server is unknown; all else is unreachable (reliability.md 2.5, rule 5). */
function failureOf(error: unknown, one: ApiRequest, deadline: AbortSignal, name: string): unknown {
  const own = refusedByPolicy(error);
  if (own !== null) return own;
  if (one.method !== 'GET' && !isKnownUnsent(error)) {
    return new AppError(
      'unknownResult',
      `cluster ${name}: the answer of a write was cut or late (${deadline.aborted ? `none within ${one.timeoutMs} ms` : describeFailure(error)})`,
      {},
      { cause: error },
    );
  }
  if (one.signal.aborted) return one.signal.reason;
  if (error instanceof BodyTooLarge) return new AppError('clusterAnswer', `cluster ${name}: ${error.message}, which is the limit`);
  if (deadline.aborted) return new AppError('clusterUnreachable', `cluster ${name} did not answer within ${one.timeoutMs} ms`);
  return unreachable(name, error);
}

function unreachable(name: string, error: unknown): AppError {
  return (
    refusedByPolicy(error) ??
    new AppError('clusterUnreachable', `cluster ${name} is not reachable: ${describeFailure(error)}`, {}, { cause: error })
  );
}

/** The egress policy's own refusal, which comes out of the connecting socket. */
function refusedByPolicy(error: unknown): AppError | null {
  const own = error instanceof Error && error.cause instanceof AppError ? error.cause : error;
  return own instanceof AppError && own.code === 'egressDenied' ? own : null;
}

function headersFor(
  credential: Credential,
  userAgent: string,
  one: Readonly<{ accept?: string; contentType?: string; ifNoneMatch?: string }>,
): Record<string, string> {
  return {
    'user-agent': userAgent,
    accept: one.accept ?? 'application/json',
    'accept-encoding': 'gzip',
    ...(credential.is === 'certificate' ? {} : { authorization: `Bearer ${credential.value}` }),
    ...(one.contentType === undefined ? {} : { 'content-type': one.contentType }),
    ...(one.ifNoneMatch === undefined ? {} : { 'if-none-match': one.ifNoneMatch }),
  };
}

function withQuery(path: ApiPath, query: Readonly<Record<string, string>> | undefined): string {
  return query === undefined ? path : `${path}?${new URLSearchParams(query).toString()}`;
}

function answerOf(response: Dispatcher.ResponseData, text: string): Answer {
  const body = objectIn(text, header(response, 'content-type') ?? '');
  return { status: response.statusCode, text, body, etag: header(response, 'etag') ?? null, retryAfterMs: retryAfter(response) };
}

function isJson(response: Dispatcher.ResponseData): boolean {
  return header(response, 'content-type')?.startsWith('application/json') ?? false;
}

function retryAfter(response: Dispatcher.ResponseData): number | null {
  const seconds = Number(header(response, 'retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(maxRetryAfterMs, seconds * 1_000) : null;
}

function header(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
