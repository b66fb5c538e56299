import type { PlatformTx } from './platform-tx.ts';
import { numberOf, numberOrNull, onlyRow } from './rows.ts';

export type NextDue = Readonly<{ nowMs: number; dueAtMs: number | null }>;

const free = `(lease_until is null or lease_until <= statement_timestamp()) and (offered_until is null or offered_until <= statement_timestamp())`;

/** Units that have been due for longer than `olderThanMs` and that nobody works on. */
export async function overdueCount(tx: PlatformTx, olderThanMs: number): Promise<number> {
  const row = onlyRow(
    await tx.query(
      `select count(*)::int as n from weir.work where due_at <= statement_timestamp() - $1::float8 * interval '1 millisecond'
        and (lease_until is null or lease_until <= statement_timestamp())`,
      [olderThanMs],
    ),
  );
  return numberOf(row, 'n');
}

/**
 * The soonest of: a row that is due and free (its due time, which has passed), the first due time to come, the first lease or offer to end.
 * Each looks at the front of an index only.
 */
export async function nextDueAtMs(tx: PlatformTx): Promise<NextDue> {
  const row = onlyRow(
    await tx.query(
      `select statement_timestamp() as now, least(
        (select due_at from weir.work where due_at <= statement_timestamp() and ${free} order by due_at limit 1),
        (select due_at from weir.work where due_at > statement_timestamp() order by due_at limit 1),
        (select min(greatest(lease_until, offered_until)) from weir.work
          where (lease_until is not null or offered_until is not null) and greatest(lease_until, offered_until) > statement_timestamp() and due_at is not null)
      ) as due`,
    ),
  );
  return { nowMs: numberOf(row, 'now'), dueAtMs: numberOrNull(row, 'due') };
}
