import type { TSchema } from 'typebox';
import { AppError, TerminalError } from '../errors.ts';
import { isObject, type Json } from '../json.ts';
import type { Judged, Shown } from '../kind.ts';
import type { ObjectResult } from '../store.ts';

/**
 * Everything that a run says about itself goes through here before it reaches status, event, ledger or log, so that no value of a Secret that the run read is in it,
 * whoever quoted it (threats A10). Pure.
 */
type Mask = (text: string) => string;

export function maskedJudged(judged: Judged<TSchema>, mask: Mask): Judged<TSchema> {
  const { shown } = judged;
  return { ...judged, message: mask(judged.message), ...(shown === undefined ? {} : { shown: maskedShown(shown, mask) }) };
}

/** What a step shows is saved at once, with the messages of its conditions: they quote clusters and registries like an outcome does. */
export function maskedShown(shown: Shown<TSchema>, mask: Mask): Shown<TSchema> {
  const { conditions, status } = shown;
  const stored = isObject(status) ? status['conditions'] : undefined;
  return {
    ...shown,
    ...(conditions === undefined ? {} : { conditions: conditions.map((one) => (one.status === null ? one : maskedMessage(one, mask))) }),
    ...(Array.isArray(stored)
      ? { status: { ...status, conditions: stored.map((one: Json) => (isObject(one) ? maskedMessage(one, mask) : one)) } }
      : {}),
  };
}

function maskedMessage<T extends Readonly<{ message?: unknown }>>(condition: T, mask: Mask): T {
  return typeof condition.message === 'string' ? { ...condition, message: mask(condition.message) } : condition;
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
