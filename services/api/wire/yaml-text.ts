import { stringify } from 'yaml';
import { isObject, type Json, stringifyJson } from '#core/json.ts';

/** Characters that Go's YAML reader takes for line breaks, or that end a line in some reader. */
const HARD = /[\u0000-\u0008\u000b-\u001f\u007f\u0085\u2028\u2029\ufeff]/;

/**
 * YAML text that both YAML 1.1 and 1.2 readers take for the same value: every text that could be read as something else is quoted, because
 * the schema used for writing is 1.1. Keys are sorted, as Go's writer does.
 */
export function yamlText(value: Json): string {
  if (holdsHardText(value))
    return `${stringifyJson(value).replaceAll('\u0085', '\\u0085').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`;
  return stringify(value, { version: '1.1', sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false, defaultStringType: 'PLAIN' });
}

function holdsHardText(value: Json): boolean {
  if (typeof value === 'string') return HARD.test(value);
  if (Array.isArray(value)) return value.some(holdsHardText);
  return isObject(value) && Object.entries(value).some(([key, inner]) => HARD.test(key) || holdsHardText(inner));
}
