/**
 * Versions as Masterminds/semver 3.5.0 reads them: `v1`, `1.2` and `20240102` are versions, `1.2.3-01` is none.
 * Numbers are 64 bits wide there, hence bigint.
 */
export type Version = Readonly<{ major: bigint; minor: bigint; patch: bigint; pre: string; original: string }>;

const MAX_LENGTH = 256;
const MAX_UINT64 = 18_446_744_073_709_551_615n;
const LOOSE = /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const STRICT = /^v?(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)(?:[-+]|$)/;
const DIGITS = /^[0-9]+$/;

/** The version of a text, or null when it is none. Pure. */
export function parseVersion(text: string): Version | null {
  if (text.length > MAX_LENGTH) return null;
  const found = LOOSE.exec(text);
  if (found === null) return null;
  const [major, minor, patch] = [found[1], found[2], found[3]].map((part) => BigInt(part ?? '0'));
  if (major === undefined || minor === undefined || patch === undefined) return null;
  if (major > MAX_UINT64 || minor > MAX_UINT64 || patch > MAX_UINT64) return null;
  const pre = found[4] ?? '';
  if (pre !== '' && pre.split('.').some((part) => DIGITS.test(part) && part.length > 1 && part.startsWith('0'))) return null;
  return Object.freeze({ major, minor, patch, pre, original: text });
}

/** As parseVersion, but three numbers without leading zeros are required; one `v` before them is allowed (fluxcd/pkg version.ParseVersion). */
export function parseStrictVersion(text: string): Version | null {
  return STRICT.test(text) ? parseVersion(text) : null;
}

/** The version in full form (`v1.2` is `1.2.0`) with this build metadata in place of its own, as Masterminds' SetMetadata and String; null when either is none. Pure. */
export function withBuildMetadata(text: string, metadata: string): string | null {
  const version = parseVersion(text);
  if (version === null) return null;
  const { major, minor, patch, pre } = version;
  const next = `${major}.${minor}.${patch}${pre === '' ? '' : `-${pre}`}+${metadata}`;
  return parseVersion(next) === null ? null : next;
}

/** Negative, zero or positive as in a sort. Build metadata does not count. */
export function compareVersions(left: Version, right: Version): number {
  return (
    order(left.major, right.major) ||
    order(left.minor, right.minor) ||
    order(left.patch, right.patch) ||
    compareReleases(left.pre, right.pre)
  );
}

/** A release is newer than its prereleases. */
function compareReleases(left: string, right: string): number {
  if (left === right) return 0;
  if (left === '') return 1;
  if (right === '') return -1;
  return comparePrereleases(left, right);
}

/** Order of two prerelease texts, part by part; a missing part is the smallest. */
export function comparePrereleases(left: string, right: string): number {
  const lefts = left.split('.');
  const rights = right.split('.');
  for (let index = 0; index < Math.max(lefts.length, rights.length); index += 1) {
    const found = compareParts(lefts[index] ?? '', rights[index] ?? '');
    if (found !== 0) return found;
  }
  return 0;
}

function compareParts(left: string, right: string): number {
  if (left === right) return 0;
  if (left === '') return -1;
  if (right === '') return 1;
  const leftNumber = asNumber(left);
  const rightNumber = asNumber(right);
  if (leftNumber === null && rightNumber === null) return left > right ? 1 : -1;
  if (rightNumber === null) return -1;
  if (leftNumber === null) return 1;
  return order(leftNumber, rightNumber) || -1;
}

function asNumber(text: string): bigint | null {
  if (!DIGITS.test(text)) return null;
  const value = BigInt(text);
  return value <= MAX_UINT64 ? value : null;
}

function order(left: bigint, right: bigint): number {
  if (left === right) return 0;
  return left > right ? 1 : -1;
}
