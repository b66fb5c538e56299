/** A media type as the sender wrote it, in lower case, with its parameters. */
export type MediaType = Readonly<{ type: string; parameters: ReadonlyMap<string, string> }>;

const TOKEN = /^[a-z0-9!#$&^_.+-]{1,127}$/;
const maxParameters = 16;

/**
 * Strict reading of one media type: `type/subtype`, then parameters with plain values, blanks only after a semicolon.
 * Null for anything else: a tab, a comma, trailing text, quotes or a second slash is refused and never repaired (threats K1).
 */
export function parseMediaType(text: string): MediaType | null {
  if (text.length > 512) return null;
  const [type = '', ...rest] = text.toLowerCase().split(';');
  const halves = type.split('/');
  if (halves.length !== 2 || !halves.every((half) => TOKEN.test(half) || half === '*')) return null;
  if (rest.length > maxParameters) return null;
  const parameters = new Map<string, string>();
  for (const part of rest) {
    const pair = part.replace(/^ +/, '').split('=');
    const [name = '', value = ''] = pair;
    if (pair.length !== 2 || !TOKEN.test(name) || !TOKEN.test(value) || parameters.has(name)) return null;
    parameters.set(name, value);
  }
  return { type, parameters };
}
