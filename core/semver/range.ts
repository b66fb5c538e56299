import { comparePrereleases, compareVersions, parseVersion, type Version } from './version.ts';

/**
 * Version ranges in the grammar of Masterminds/semver 3.5.0 (spec/libraries.md 15.1). An own port: node-semver differs in a third of all pairs.
 * `||` parts are alternatives; inside one, blanks and commas mean "and". A prerelease matches only where the alternative names one.
 */
export type Range = Readonly<{ alternatives: readonly Alternative[] }>;
type Alternative = Readonly<{ constraints: readonly Constraint[]; withPrereleases: boolean }>;
type Constraint = Readonly<{ operator: string; version: Version; dirty: boolean; minorDirty: boolean; patchDirty: boolean }>;

const MAX_LENGTH = 512;
const MAX_ALTERNATIVES = 32;
const BLANKS = /[\t\n\f\r ]+/g;
const PARTS = /^v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+.*)?$/;
/** An operator, perhaps none, and a version. */
const CONSTRAINT =
  /(!=|>=|=>|<=|=<|~>|=|>|<|~|\^|) ?(v?[0-9|xX*]+(?:\.[0-9|xX*]+)?(?:\.[0-9|xX*]+)?(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)/y;
const AND = / ?, ?| /y;
/** `1.2 - 1.4` */
const FROM_TO =
  / ?(v?[0-9|xX*]+(?:\.[0-9|xX*]+)?(?:\.[0-9|xX*]+)?(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?) - (v?[0-9|xX*]+(?:\.[0-9|xX*]+)?(?:\.[0-9|xX*]+)?(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?) ?/g;

/** The range of a text, or null when it is none (the empty text is none). Pure. */
export function parseRange(text: string): Range | null {
  if (new TextEncoder().encode(text).byteLength > MAX_LENGTH) return null;
  // One blank per run of blanks, so that no pattern below has two ways to read the same text.
  const written = text.replaceAll(BLANKS, ' ').replaceAll(FROM_TO, '>= $1, <= $2 ');
  const parts = written.replaceAll(BLANKS, ' ').split('||');
  if (parts.length > MAX_ALTERNATIVES) return null;
  const alternatives: Alternative[] = [];
  for (const part of parts) {
    const alternative = parseAlternative(part);
    if (alternative === null) return null;
    alternatives.push(alternative);
  }
  return Object.freeze({ alternatives: Object.freeze(alternatives) });
}

/** Whether the version lies in the range. Pure. */
export function isInRange(range: Range, version: Version): boolean {
  return range.alternatives.some(
    ({ constraints, withPrereleases }) => (version.pre === '' || withPrereleases) && constraints.every((one) => holds(one, version)),
  );
}

/** Reads constraint after constraint; what cannot be read to its end is no range. */
function parseAlternative(text: string): Alternative | null {
  const trimmed = text.replaceAll(/^ | $/g, '');
  const constraints: Constraint[] = [];
  for (let at = 0; ; ) {
    const found = matchAt(CONSTRAINT, trimmed, at);
    const constraint = found === null ? null : parseConstraint(found[1] ?? '', found[2] ?? '');
    if (found === null || constraint === null) return null;
    constraints.push(constraint);
    at += found[0].length;
    if (at === trimmed.length) break;
    const and = matchAt(AND, trimmed, at);
    if (and === null) return null;
    at += and[0].length;
  }
  return Object.freeze({ constraints: Object.freeze(constraints), withPrereleases: constraints.some((one) => one.version.pre !== '') });
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function parseConstraint(operator: string, text: string): Constraint | null {
  const found = PARTS.exec(text);
  if (found === null) return null;
  const [, major = '', minor = '', patch = '', pre = ''] = found;
  const open = isOpen(major) ? 'major' : isOpen(minor.slice(1)) ? 'minor' : isOpen(patch.slice(1)) ? 'patch' : null;
  const written = { major: `0.0.0${pre}`, minor: `${major}.0.0${pre}`, patch: `${major}${minor}.0${pre}` };
  const version = parseVersion(open === null ? text : written[open]);
  if (version === null) return null;
  return Object.freeze({ operator, version, dirty: open !== null, minorDirty: open === 'minor', patchDirty: open === 'patch' });
}

/** A number that was left out or written as a wildcard. */
function isOpen(part: string): boolean {
  return part === '' || part === 'x' || part === 'X' || part === '*';
}

function holds(constraint: Constraint, version: Version): boolean {
  const compared = compareVersions(version, constraint.version);
  switch (constraint.operator) {
    case '':
    case '=':
      return constraint.dirty ? isInTilde(constraint, version) : compared === 0;
    case '!=':
      return isOther(constraint, version);
    case '>':
      return isGreater(constraint, version);
    case '<':
      return compared < 0;
    case '>=':
    case '=>':
      return compared >= 0;
    case '<=':
    case '=<':
      return isAtMost(constraint, version);
    case '~':
    case '~>':
      return isInTilde(constraint, version);
    case '^':
      return isInCaret(constraint, version);
    default:
      throw new Error(`operator ${constraint.operator} passed the grammar`);
  }
}

/** `!=1.2` is any other than 1.2.x; where only the patch is open, a prerelease still counts as another one. */
function isOther({ version: limit, dirty, minorDirty, patchDirty }: Constraint, version: Version): boolean {
  if (!dirty) return compareVersions(version, limit) !== 0;
  if (version.major !== limit.major) return true;
  if (minorDirty) return false;
  if (version.minor !== limit.minor) return true;
  if (patchDirty) return (version.pre !== '' || limit.pre !== '') && comparePrereleases(version.pre, limit.pre) !== 0;
  return version.patch !== limit.patch || compareVersions(version, limit) !== 0;
}

/** `>11` means 12 and up, `>11.1` means 11.2 and up. */
function isGreater({ version: limit, dirty, minorDirty, patchDirty }: Constraint, version: Version): boolean {
  if (!dirty) return compareVersions(version, limit) > 0;
  if (version.major !== limit.major) return version.major > limit.major;
  if (minorDirty) return false;
  if (patchDirty) return version.minor > limit.minor;
  return compareVersions(version, limit) > 0;
}

/** `<=11` takes all of 11, `<=11.1` all of 11.1. */
function isAtMost({ version: limit, dirty, minorDirty }: Constraint, version: Version): boolean {
  if (!dirty) return compareVersions(version, limit) <= 0;
  if (version.major > limit.major) return false;
  return version.major !== limit.major || version.minor <= limit.minor || minorDirty;
}

/** `~1.2.3` stays inside 1.2, `~1` inside 1; `~0.0.0` and `*` take everything. */
function isInTilde({ version: limit, minorDirty, patchDirty }: Constraint, version: Version): boolean {
  if (compareVersions(version, limit) < 0) return false;
  if (limit.major === 0n && limit.minor === 0n && limit.patch === 0n && !minorDirty && !patchDirty) return true;
  return version.major === limit.major && (version.minor === limit.minor || minorDirty);
}

/** `^1.2.3` stays inside 1, `^0.2.3` inside 0.2, `^0.0.3` is that patch alone. */
function isInCaret({ version: limit, minorDirty, patchDirty }: Constraint, version: Version): boolean {
  if (compareVersions(version, limit) < 0) return false;
  if (limit.major > 0n || minorDirty) return version.major === limit.major;
  if (version.major > 0n) return false;
  if (limit.minor > 0n || patchDirty) return version.minor === limit.minor;
  return version.minor === 0n && version.patch === limit.patch;
}
