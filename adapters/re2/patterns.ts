import { RE2JS, RE2JSException } from 're2js';
import type { Patterns } from '#core/ports.ts';

const MAX_LENGTH = 1_024;

/** Regular expressions in RE2, which does not backtrack (spec/libraries.md 15.4). Keeps nothing. */
export function createPatterns(): Patterns {
  return Object.freeze({
    compile(pattern: string) {
      if (pattern.length > MAX_LENGTH) return { is: 'invalid', message: `it is longer than ${MAX_LENGTH} characters` } as const;
      try {
        const compiled = RE2JS.compile(pattern);
        return Object.freeze({ is: 'pattern', isIn: (text: string) => compiled.matcher(text).find() } as const);
      } catch (error) {
        if (!(error instanceof RE2JSException)) throw error;
        return { is: 'invalid', message: error.message } as const;
      }
    },
  } satisfies Patterns);
}
