import { RE2JS, RE2JSException } from 're2js';
import type { PatternMatch } from '#core/patterns.ts';
import type { Patterns } from '#core/ports.ts';

const MAX_LENGTH = 1_024;
const MAX_PROGRAM = 20_000;

/** Regular expressions in RE2, which does not backtrack (spec/libraries.md 15.4). Keeps nothing. */
export function createPatterns(): Patterns {
  return Object.freeze({
    compile(pattern: string) {
      if (pattern.length > MAX_LENGTH) return { is: 'invalid', message: `it is longer than ${MAX_LENGTH} characters` } as const;
      try {
        const compiled = RE2JS.compile(pattern);
        if (compiled.programSize() > MAX_PROGRAM) return { is: 'invalid', message: 'it repeats too much' } as const;
        const names = compiled.namedGroups();
        return Object.freeze({
          is: 'pattern',
          isIn: (text: string) => compiled.matcher(text).find(),
          find: (text: string) => matchIn(compiled, names, text),
        } as const);
      } catch (error) {
        if (!(error instanceof RE2JSException)) throw error;
        return { is: 'invalid', message: error.message } as const;
      }
    },
  } satisfies Patterns);
}

function matchIn(compiled: RE2JS, names: Readonly<Record<string, number>>, text: string): PatternMatch | null {
  const matcher = compiled.matcher(text);
  if (!matcher.find()) return null;
  return {
    group: (key) => {
      const index = typeof key === 'number' ? key : Object.hasOwn(names, key) ? names[key] : undefined;
      return index === undefined || index > matcher.groupCount() ? null : matcher.group(index);
    },
  };
}
