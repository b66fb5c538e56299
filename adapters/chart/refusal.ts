import type { ChartReason, ChartRefusal } from '#core/charts.ts';
import { AppError } from '#core/errors.ts';

export type Refused = ChartRefusal;

export function refuse(reason: ChartReason, message: string): Refused {
  return Object.freeze({ is: 'refused', reason, message });
}

/** A chart that does not fit the rules of archives or is too large, as a refusal; everything else is thrown on. */
export function refusalOf(error: unknown, reason: ChartReason): Refused {
  if (error instanceof AppError && (error.code === 'badRequest' || error.code === 'artifactTooLarge')) return refuse(reason, error.message);
  throw error;
}
