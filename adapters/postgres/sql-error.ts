import { AppError } from '#core/errors.ts';

/** What PostgreSQL refused. `detail` and `where` of the server are dropped: they quote values, of rows that a policy may hide as well. */
export class SqlError extends Error {
  readonly sqlState: string;
  readonly constraint: string | null;
  constructor(sqlState: string, constraint: string | null) {
    super(`database: SQLSTATE ${sqlState}${constraint === null ? '' : ` on ${constraint}`}`);
    this.name = 'SqlError';
    this.sqlState = sqlState;
    this.constraint = constraint;
  }
}

/** 08: connection, 53: resources, 57P: shutdown and start, 40: deadlock and serialisation, 55P03: lock timeout, 57014: statement timeout. */
const passing = /^(08|53|57P|40|55P03|57014|25P03|25P04)/;

/** What a failed statement or connection means to the caller: AppError unavailable for what passes, SqlError for the rest. Never quotes a value. */
export function cleanError(error: unknown): Error {
  if (error instanceof AppError || error instanceof SqlError) return error;
  const state = sqlStateOf(error);
  if (state === null)
    return new AppError(
      'unavailable',
      'the database connection was lost; try again',
      { retryAfterSeconds: 1 },
      { cause: messageOnly(error) },
    );
  if (passing.test(state))
    return new AppError(
      'unavailable',
      'the database is busy or restarting; try again',
      { retryAfterSeconds: 1 },
      { cause: new SqlError(state, null) },
    );
  return new SqlError(state, textField(error, 'constraint'));
}

function sqlStateOf(error: unknown): string | null {
  const code = textField(error, 'code');
  return code !== null && /^[0-9A-Z]{5}$/.test(code) && textField(error, 'severity') !== null ? code : null;
}

function textField(error: unknown, name: string): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : null;
}

function messageOnly(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : 'unknown error');
}
