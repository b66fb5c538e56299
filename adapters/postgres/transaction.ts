import type { TenantScope } from '#core/tenant.ts';
import type { Row } from './rows.ts';
import { cleanError } from './sql-error.ts';
import { type Answer, newTenantTx, Rollback, type SqlValue, type TenantTx } from './tenant-tx.ts';

/** One statement as the driver answers it; `command` is the server's word for what it did. */
type RawAnswer = Readonly<{ command: string; rowCount: number | null; rows: readonly Row[] }>;

/** What a transaction needs of a connection of the driver. */
export type Connection = Readonly<{ query(text: string, values: SqlValue[]): Promise<RawAnswer> }>;

export type Limits = Readonly<{ statementTimeoutMs: number; idleTimeoutMs: number; lockTimeoutMs: number }>;

/** The end of a transaction: `reusable` is false on any doubt, and then the connection must be destroyed, not given back. */
export type Ended<T> = Readonly<{ reusable: boolean } & ({ is: 'value'; value: T } | { is: 'error'; error: unknown })>;

const settings = `select set_config('app.tenant', $1, true), set_config('statement_timeout', $2, true),
  set_config('idle_in_transaction_session_timeout', $3, true), set_config('lock_timeout', $4, true)`;

/**
 * Sends begin, the settings and the first statements at once. All answers are looked at and the first error wins: when `begin` fails, what
 * follows it ran outside a transaction without a tenant (libraries.md section 4). Commits unless `fn` throws or returns a Rollback.
 */
export async function runTransaction<T>(
  connection: Connection,
  begin: string,
  limits: Limits,
  fn: (open: (scope: TenantScope) => Promise<Session>) => Promise<T | Rollback<T>>,
): Promise<Ended<T>> {
  const wire = newWire(connection);
  void wire.send(begin, [], 'BEGIN');
  let result: T | Rollback<T>;
  try {
    result = await fn(async (scope) => openSession(wire, scope, limits));
  } catch (error) {
    return undo(wire, error);
  }
  if (result instanceof Rollback) return close(wire, 'rollback', 'ROLLBACK', result.value);
  return close(wire, 'commit', 'COMMIT', result);
}

export type Session = Readonly<{ tx: TenantTx /** Refuses every later use of the handle. */; end(): void }>;

function openSession(wire: Wire, scope: TenantScope, limits: Limits): Session {
  const state = { open: true };
  const ready = wire.send(
    settings,
    [scope.tenantId, String(limits.statementTimeoutMs), String(limits.idleTimeoutMs), String(limits.lockTimeoutMs)],
    'SELECT',
  );
  const tx = newTenantTx(scope, async (text, values) => {
    if (!state.open || wire.closed()) throw new Error('this transaction has ended: its handle cannot be used any more');
    const answer = wire.send(text, values, null);
    await ready;
    return await answer;
  });
  return {
    tx,
    end: () => {
      state.open = false;
    },
  };
}

type Wire = Readonly<{
  /** `expected`: the command that the server must say it ran; null for any. */
  send(text: string, values: readonly SqlValue[], expected: string | null): Promise<Answer>;
  /** All answers that are still under way; rejects with the first error of the whole transaction. */
  settled(): Promise<void>;
  failed(): boolean;
  closed(): boolean;
  shut(): void;
}>;

function newWire(connection: Connection): Wire {
  const state: { firstError: Error | null; last: Promise<unknown>; closed: boolean } = {
    firstError: null,
    last: Promise.resolve(),
    closed: false,
  };
  const send = async (text: string, values: readonly SqlValue[], expected: string | null): Promise<Answer> => {
    try {
      const answer: RawAnswer = await connection.query(text, [...values]);
      if (expected !== null && answer.command !== expected) throw new Error(`database: ${expected} was answered with ${answer.command}`);
      return { rows: answer.rows, count: answer.rowCount ?? 0 };
    } catch (error) {
      const clean = answered(error) ? error : cleanError(error);
      state.firstError ??= clean;
      throw state.firstError;
    }
  };
  return {
    send: (text, values, expected) => {
      const answer = send(text, values, expected);
      // Somebody looks at every answer, even when the caller does not wait for this one.
      state.last = Promise.allSettled([state.last, answer]);
      return answer;
    },
    settled: async () => {
      await state.last;
      if (state.firstError !== null) throw state.firstError;
    },
    failed: () => state.firstError !== null,
    closed: () => state.closed,
    shut: () => {
      state.closed = true;
    },
  };
}

function answered(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('database: ');
}

/** `commit` on a failed transaction succeeds and answers ROLLBACK: only the right word counts. */
async function close<T>(wire: Wire, statement: string, expected: string, value: T): Promise<Ended<T>> {
  wire.shut();
  const last = wire.send(statement, [], expected);
  try {
    await last;
    await wire.settled();
    return { is: 'value', value, reusable: true };
  } catch (error) {
    return { is: 'error', error, reusable: false };
  }
}

/** `fn` threw. When every statement was answered well the connection is clean after a rollback; else it is destroyed. */
async function undo<T>(wire: Wire, error: unknown): Promise<Ended<T>> {
  wire.shut();
  if (wire.failed()) return { is: 'error', error, reusable: false };
  const ended = await close(wire, 'rollback', 'ROLLBACK', null);
  return { is: 'error', error, reusable: ended.reusable };
}
