import type { Json } from '#core/json.ts';
import { stringifyJson } from '#core/json.ts';

/** JSON text for Go's YAML readers, which take three characters for line breaks that JSON lets stand (libraries.md section 8). Pure. */
export function goJson(value: Json): string {
  return stringifyJson(value, 1).replace(
    /[\u0085\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
