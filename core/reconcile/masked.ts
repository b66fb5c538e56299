import type { TSchema } from 'typebox';
import { AppError, TerminalError } from '../errors.ts';
import type { Judged } from '../kind.ts';
import type { ObjectResult } from '../store.ts';

/**
 * Everything that a run says about itself goes through here before it reaches status, event, ledger or log, so that no value of a Secret that the run read is in it,
 * whoever quoted it (threats A10). Pure.
 */
type Mask = (text: string) => string;

export function maskedJudged(judged: Judged<TSchema>, mask: Mask): Judged<TSchema> {
  const { shown } = judged;
  if (shown?.conditions === undefined) return { ...judged, message: mask(judged.message) };
  const conditions = shown.conditions.map((one) => (one.status === null ? one : { ...one, message: mask(one.message) }));
  return { ...judged, message: mask(judged.message), shown: { ...shown, conditions } };
}

export function maskedResults(results: readonly ObjectResult[], mask: Mask): readonly ObjectResult[] {
  return results.map((one) => (one.message === undefined ? one : { ...one, message: mask(one.message) }));
}

/** The same error, or one of its sort without values: then its cause is left out, since it may quote them too. */
export function maskedError(error: unknown, mask: Mask): unknown {
  if (!(error instanceof Error)) return error;
  const message = mask(error.message);
  const isClean = message === error.message && mask(causesOf(error)) === causesOf(error);
  if (isClean) return error;
  if (error instanceof AppError) return new AppError(error.code, message, error.details);
  if (error instanceof TerminalError) return new TerminalError(error.reason, message);
  return new Error(message);
}

const MAX_CAUSES = 8;

function causesOf(error: Error): string {
  const texts: string[] = [];
  for (let cause = error.cause; cause instanceof Error && texts.length < MAX_CAUSES; cause = cause.cause) texts.push(cause.message);
  return texts.join('\n');
}
