import type pg from 'pg';
import type { Row } from './rows.ts';
import { cleanError } from './sql-error.ts';
import type { Answer, SqlValue } from './tenant-tx.ts';

declare const platformTx: unique symbol;

/** One open transaction of the scheduler's role: no tenant is set, its own policies and privileges say what it may touch. */
export type PlatformTx = Readonly<{
  query(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  run(text: string, values?: readonly SqlValue[]): Promise<number>;
  [platformTx]: true;
}>;

const statementTimeoutMs = 30_000;
/** Without JIT: compiling would cost a pick more than running it. */
const limits = `select set_config('statement_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $1, true), set_config('lock_timeout', '10000', true),
  set_config('jit', 'off', true)`;

/** Runs `fn` in one transaction. A connection on which anything failed is destroyed, not returned. */
export async function inPlatform<T>(pool: pg.Pool, fn: (tx: PlatformTx) => Promise<T>): Promise<T> {
  let connection: pg.PoolClient;
  try {
    connection = await pool.connect();
  } catch (error) {
    throw cleanError(error);
  }
  let clean = false;
  try {
    const send = async (text: string, values: readonly SqlValue[]): Promise<Answer> => {
      const answer = await connection.query<Row>(text, [...values]);
      return { rows: answer.rows, count: answer.rowCount ?? 0 };
    };
    await Promise.all([send('begin isolation level read committed', []), send(limits, [String(statementTimeoutMs)])]);
    const value = await fn(newPlatformTx(send));
    const { command } = await connection.query('commit');
    if (command !== 'COMMIT') throw new Error(`database: COMMIT was answered with ${command}`);
    clean = true;
    return value;
  } catch (error) {
    throw error instanceof Error && error.message.startsWith('database: ') ? error : cleanError(error);
  } finally {
    connection.release(!clean);
  }
}

function newPlatformTx(send: (text: string, values: readonly SqlValue[]) => Promise<Answer>): PlatformTx {
  const tx = {
    query: async (text: string, values: readonly SqlValue[] = []) => (await send(text, values)).rows,
    run: async (text: string, values: readonly SqlValue[] = []) => (await send(text, values)).count,
  };
  return Object.freeze(tx) as PlatformTx;
}
