/** Where a pattern was found first. */
export type PatternMatch = Readonly<{
  /** Text of a group by number (0 is the whole match) or name; null for one that did not take part or does not exist. */
  group(key: number | string): string | null;
}>;

const NAME = /^[\p{L}\p{Nd}_]+/u;
const DIGITS = /^(?:0|[1-9][0-9]{0,8})$/;

/**
 * Go's regexp.Expand: `$name` and `${name}` stand for groups, by number or name; the longest run of letters, digits and `_` counts, so `$1x` is the group
 * named `1x`. A group that does not exist is empty, `$$` is a dollar sign, and a dollar sign before anything else stays. Pure.
 */
export function expand(template: string, match: PatternMatch): string {
  let made = '';
  for (let at = 0; at < template.length; ) {
    const dollar = template.indexOf('$', at);
    if (dollar < 0) return made + template.slice(at);
    made += template.slice(at, dollar);
    const rest = template.slice(dollar + 1);
    if (rest.startsWith('$')) {
      made += '$';
      at = dollar + 2;
      continue;
    }
    const reference = referenceIn(rest);
    if (reference === null) {
      made += '$';
      at = dollar + 1;
      continue;
    }
    made += match.group(DIGITS.test(reference.name) ? Number(reference.name) : reference.name) ?? '';
    at = dollar + 1 + reference.length;
  }
  return made;
}

function referenceIn(text: string): Readonly<{ name: string; length: number }> | null {
  const braced = text.startsWith('{');
  const name = NAME.exec(braced ? text.slice(1) : text)?.[0];
  if (name === undefined) return null;
  if (!braced) return { name, length: name.length };
  return text.charAt(1 + name.length) === '}' ? { name, length: name.length + 2 } : null;
}
