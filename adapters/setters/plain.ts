const SAFE = /^[A-Za-z0-9_](?:[A-Za-z0-9._/@:-]*[A-Za-z0-9._/@-])?$/;
const WORDS: ReadonlySet<string> = Object.freeze(new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null']));
const NUMBER = /^(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9_]+\.?[0-9_]*(?:[eE][-+]?[0-9_]+)?)$/;
const TIME = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt].*)?$/;
const SEXAGESIMAL = /^[0-9_]+(?::[0-9_.]+)+$/;

/**
 * How a value is written where the old one stood: in its quotes, or plain where every reader of YAML 1.1 and 1.2 takes it for text, and else in double quotes
 * (`1.10`, `1e3`, `0o17`, `on`; libraries.md, YAML editing). Pure.
 */
export function written(value: string, quotes: '"' | "'" | ''): string {
  if (quotes === "'") return `'${value.replaceAll("'", "''")}'`;
  if (quotes === '"' || !isPlainText(value)) return JSON.stringify(value);
  return value;
}

function isPlainText(value: string): boolean {
  if (!SAFE.test(value) || WORDS.has(value.toLowerCase())) return false;
  return !NUMBER.test(value) && !TIME.test(value) && !SEXAGESIMAL.test(value);
}
