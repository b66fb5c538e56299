import { AppError } from '#core/errors.ts';

/** The error of a build that the user has to mend. The message names file and reason. */
export function refuse(message: string): AppError {
  return new AppError('buildFailed', message);
}
