// Plain JavaScript that any Node.js from 18 on can read: it runs before the right Node is known.

/** Weir's floor: undici and the signature packages need it. */
export const needed = '24.15';

/**
 * Whether a Node version (`24.21.0`) runs Weir.
 * @param {string} version
 */
export function isEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = needed.split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/**
 * What to tell a person whose Node is too old.
 * @param {string} version
 */
export function tooOld(version) {
  return [
    `Weir needs Node.js ${needed} or newer; this is ${version}.`,
    'On Linux (x64, arm64) `npm ci` brings it along: run `npm ci` in this folder, then start through npm (`npm run demo`, `npm test`).',
    'Elsewhere install Node.js 24 yourself and try again.',
    '',
  ].join('\n');
}
