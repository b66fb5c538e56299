import { matchesGlob } from '#core/name-pattern.ts';

/**
 * What .helmignore leaves out of a chart that is packed from a folder (helm pkg/ignore/rules.go): the first rule that applies decides, a negated one leaves
 * out all that it does not match, and what lies in a folder that is left out is left out too. Null for a text that helm refuses. Pure.
 */
export function helmIgnore(text: string): ((path: string) => boolean) | null {
  const rules: Rule[] = [];
  for (const line of [...text.split('\n'), 'templates/.?*']) {
    const rule = parseRule(line.trim());
    if (rule === null) return null;
    if (rule !== 'none') rules.push(rule);
  }
  return (path) => {
    const names = path.split('/');
    return names.some((_name, index) => isIgnored(rules, names.slice(0, index + 1), index < names.length - 1));
  };
}

type Rule = Readonly<{ negated: boolean; foldersOnly: boolean; whole: boolean; pattern: string }>;

function parseRule(line: string): Rule | 'none' | null {
  if (line === '' || line.startsWith('#')) return 'none';
  if (line.includes('**') || matchesGlob(line, 'abc') === null) return null;
  const negated = line.startsWith('!');
  let pattern = negated ? line.slice(1) : line;
  const foldersOnly = pattern.endsWith('/');
  if (foldersOnly) pattern = pattern.slice(0, -1);
  const whole = pattern.includes('/');
  return Object.freeze({ negated, foldersOnly, whole, pattern: pattern.startsWith('/') ? pattern.slice(1) : pattern });
}

function isIgnored(rules: readonly Rule[], names: readonly string[], isFolder: boolean): boolean {
  for (const { negated, foldersOnly, whole, pattern } of rules) {
    const matched = matchesGlob(pattern, whole ? names.join('/') : (names.at(-1) ?? '')) === true;
    if (negated) {
      if ((foldersOnly && !isFolder) || !matched) return true;
      continue;
    }
    if (foldersOnly && !isFolder) continue;
    if (matched) return true;
  }
  return false;
}
