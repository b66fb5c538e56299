import type { Actor } from '#core/tenant.ts';
import type { Row } from './rows.ts';

declare const tenantTx: unique symbol;

export type SqlValue = string | number | bigint | boolean | null | Uint8Array | readonly (string | null)[] | readonly (number | null)[];

/**
 * One open transaction of one tenant: only `inTenant` makes one, and it refuses use after its end. Row-level security holds inside it.
 * Statements may be sent without waiting for the one before (`Promise.all`): they run in order on one connection.
 */
export type TenantTx = Readonly<{
  tenantId: string;
  actor: Actor;
  /** Rows of one statement. Values go in as parameters, never as text of the statement. */
  query(text: string, values?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Number of rows that one statement changed. */
  run(text: string, values?: readonly SqlValue[]): Promise<number>;
  /** Set once the version counter was taken: from then on nothing may wait for a lock (kube-api 2.7 rule 3). */
  numbering: { taken: boolean };
  [tenantTx]: true;
}>;

/** What a dry run hands out of `inTenant`: the transaction is rolled back and the value returned. */
export class Rollback<T> {
  readonly value: T;
  constructor(value: T) {
    this.value = value;
  }
}

/** `return rollbackWith(value)` from the function given to `inTenant`: nothing of the transaction stays, `value` is its result. */
export function rollbackWith<T>(value: T): Rollback<T> {
  return new Rollback(value);
}

/** Guards the order of locks: whoever holds the counter must not wait for another row. A call in the wrong order is our bug. */
export function beforeNumbering(tx: TenantTx, what: string): void {
  if (tx.numbering.taken)
    throw new Error(`${what} must come before the object writes of its transaction, which take the version number last`);
}

export type Answer = Readonly<{ rows: readonly Row[]; count: number }>;

/** The brand is put on here and nowhere else. */
export function newTenantTx(
  owner: Readonly<{ tenantId: string; actor: Actor }>,
  send: (text: string, values: readonly SqlValue[]) => Promise<Answer>,
): TenantTx {
  const tx = {
    tenantId: owner.tenantId,
    actor: owner.actor,
    query: async (text: string, values: readonly SqlValue[] = []) => (await send(text, values)).rows,
    run: async (text: string, values: readonly SqlValue[] = []) => (await send(text, values)).count,
    numbering: { taken: false },
  };
  return Object.freeze(tx) as TenantTx;
}
