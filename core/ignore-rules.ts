import { matchesGlob } from './name-pattern.ts';

/**
 * Ignore rules as Flux reads them (fluxcd/pkg sourceignore and its gitignore package, which come from go-git), and not as git does: every path is
 * judged alone, the last rule that matches wins, and a file below an excluded folder can be included again. An own port, because a library
 * for .gitignore answers differently there (spec/libraries.md 16).
 */
export type IgnoreRule = Readonly<{
  domain: readonly string[];
  parts: readonly string[];
  includes: boolean;
  foldersOnly: boolean;
  withSlash: boolean;
}>;

export type IgnoreFilter = (path: readonly string[], isFolder: boolean) => boolean;

const VERSION_CONTROL = ['.git/', '.gitignore', '.gitmodules', '.gitattributes'];
const DEFAULTS = [
  ...['*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip'],
  ...[
    '.github/',
    '.circleci/',
    '.travis.yml',
    '.gitlab-ci.yml',
    'appveyor.yml',
    '.drone.yml',
    'cloudbuild.yaml',
    'codeship-services.yml',
    'codeship-steps.yml',
  ],
  ...['**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml'],
];

/** The rules of a text (.sourceignore or spec.ignore) for everything below the folder `domain`. Pure. */
export function parseIgnoreRules(text: string, domain: readonly string[]): readonly IgnoreRule[] {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  return lines.filter((line) => !line.startsWith('#') && line.trim() !== '').map((line) => parseRule(line, domain));
}

/**
 * Whether a path is left out. With rules of any kind the default list is gone, except for the version control group, which stays the weakest
 * (fluxcd/pkg artifact/storage SourceIgnoreFilter). `rules` are weakest first. Pure.
 */
export function createIgnoreFilter(rules: readonly IgnoreRule[]): IgnoreFilter {
  const builtIn = rules.length > 0 ? VERSION_CONTROL : [...VERSION_CONTROL, ...DEFAULTS];
  return createPlainFilter([...builtIn.map((line) => parseRule(line, [])), ...rules]);
}

/** Whether a path is left out by these rules alone, weakest first, without any default list: what Flux does for the keys of a bucket. Pure. */
export function createPlainFilter(rules: readonly IgnoreRule[]): IgnoreFilter {
  const all = rules.toReversed();
  return (path, isFolder) => {
    const decisive = all.find((rule) => matches(rule, path, isFolder));
    return decisive !== undefined && !decisive.includes;
  };
}

function parseRule(line: string, domain: readonly string[]): IgnoreRule {
  const includes = line.startsWith('!');
  let text = includes ? line.slice(1) : line;
  if (!text.endsWith('\\ ')) text = text.replace(/ +$/, '');
  const foldersOnly = text.endsWith('/');
  if (foldersOnly) text = text.slice(0, -1);
  return Object.freeze({ domain, parts: Object.freeze(text.split('/')), includes, foldersOnly, withSlash: text.includes('/') });
}

function matches(rule: IgnoreRule, path: readonly string[], isFolder: boolean): boolean {
  if (path.length <= rule.domain.length || rule.domain.some((part, index) => path[index] !== part)) return false;
  const below = path.slice(rule.domain.length);
  return rule.withSlash ? matchesPath(rule, below, isFolder) : matchesName(rule, below, isFolder);
}

/** A rule without a slash names a file or folder anywhere; whatever lies below a named folder matches too. */
function matchesName(rule: IgnoreRule, path: readonly string[], isFolder: boolean): boolean {
  const pattern = rule.parts[0] ?? '';
  for (const [index, name] of path.entries()) {
    const matched = matchesGlob(pattern, name);
    if (matched === null) return false;
    if (matched) return !(rule.foldersOnly && !isFolder && index === path.length - 1);
  }
  return false;
}

function matchesPath(rule: IgnoreRule, path: readonly string[], isFolder: boolean): boolean {
  let at = 0;
  let matched = false;
  let anywhere = false;
  for (const [index, pattern] of rule.parts.entries()) {
    if (pattern === '') {
      anywhere = false;
      continue;
    }
    if (pattern === '**') {
      if (index === rule.parts.length - 1) break;
      anywhere = true;
      continue;
    }
    if (pattern.includes('**') || at >= path.length) return false;
    const next = anywhere ? findName(pattern, path, at) : oneName(pattern, path, at);
    if (next === null) return false;
    anywhere = false;
    matched = next.found;
    at = next.at;
  }
  return matched && !(rule.foldersOnly && !isFolder && at >= path.length);
}

type Step = Readonly<{ found: boolean; at: number }>;

function oneName(pattern: string, path: readonly string[], at: number): Step | null {
  return matchesGlob(pattern, path[at] ?? '') === true ? { found: true, at: at + 1 } : null;
}

/** After `**`: the first name from here on that matches; none is a failure that later parts of the rule may still see. */
function findName(pattern: string, path: readonly string[], from: number): Step | null {
  for (let at = from; at < path.length; at += 1) {
    const matched = matchesGlob(pattern, path[at] ?? '');
    if (matched === null) return null;
    if (matched) return { found: true, at: at + 1 };
  }
  return { found: false, at: path.length };
}
