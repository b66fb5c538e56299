import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isEnough } from './node-version.js';

/** The checkout that this file belongs to. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Where Node.js keeps what it made of our sources, by their content, so that the next start need not read them anew. It goes with the packages; where it cannot be written, nothing is kept. */
export const compileCache = join(root, 'node_modules', '.cache', 'node');

/** The Node.js that this checkout pins, else the running one if it is new enough, else undefined. */
export function pinnedNode() {
  const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  return isEnough(process.versions.node) ? process.execPath : undefined;
}
