import { stringify } from 'yaml';
import { isObject, type Json, stringifyJson } from '#core/json.ts';

/** Characters that Go's YAML reader takes for line breaks, or that a terminal would obey. */
const HARD = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const HARD_ALL = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** YAML that readers of 1.1 and 1.2 take for the same value. A text with characters that could be misread makes the whole thing JSON, which is YAML. */
export function yamlText(value: Json): string {
  if (holdsHardText(value)) return `${jsonText(value)}\n`;
  return stringify(value, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

/** JSON with an indent of two; characters that a terminal would obey are written as escapes. */
export function jsonText(value: Json): string {
  return stringifyJson(value, 2).replaceAll(HARD_ALL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function holdsHardText(value: Json): boolean {
  if (typeof value === 'string') return HARD.test(value);
  if (Array.isArray(value)) return value.some(holdsHardText);
  return isObject(value) && Object.entries(value).some(([key, inner]) => HARD.test(key) || holdsHardText(inner));
}
