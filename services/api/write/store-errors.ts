import { AppError } from '#core/errors.ts';
import type { Resource } from '#core/resource.ts';
import { alreadyExists, conflict } from '#services/api/wire/status.ts';

/** Set as `cause` where somebody wrote between our read and our write: a patch without a precondition may try again. */
export const RACED = 'raced';

/** Says what the store refused in the words of the wire: the plural, not the row. */
export async function inWireWords<T>(resource: Resource, name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'alreadyExists') throw alreadyExists(resource, name);
    if (error.code !== 'conflict') throw error;
    const told = conflict(resource, name);
    throw new AppError('conflict', told.message, told.details, { cause: RACED });
  }
}
