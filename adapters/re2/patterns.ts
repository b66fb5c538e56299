import { RE2JS, RE2JSException } from 're2js';
import type { Pattern, PatternMatch, Patterns } from '#core/patterns.ts';

const MAX_PATTERN = 1_000;
const MAX_PROGRAM = 20_000;

/** Tenants' regular expressions by re2js: no backtracking, so no pattern is slow. Holds nothing. */
export const patterns: Patterns = Object.freeze({
  compile(source: string): Pattern | string {
    if (source.length > MAX_PATTERN) return `has more than ${MAX_PATTERN} characters`;
    let compiled: RE2JS;
    try {
      compiled = RE2JS.compile(source);
    } catch (error) {
      if (error instanceof RE2JSException) return error.message;
      throw error;
    }
    if (compiled.programSize() > MAX_PROGRAM) return 'repeats too much';
    const names = compiled.namedGroups();
    return Object.freeze({
      test: (text: string) => compiled.test(text),
      find(text: string): PatternMatch | null {
        const matcher = compiled.matcher(text);
        if (!matcher.find()) return null;
        return {
          group: (key) => {
            const index = typeof key === 'number' ? key : Object.hasOwn(names, key) ? names[key] : undefined;
            return index === undefined || index > matcher.groupCount() ? null : matcher.group(index);
          },
        };
      },
    });
  },
});
