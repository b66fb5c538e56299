#!/usr/bin/env node
// Behind `npm run demo`, `npm start`, `npm test`, …: brings the packages of the lock file where they are missing or old, then runs a program of ours with the pinned Node.js.
// Plain JavaScript that any Node.js from 18 on can read. What it says goes to stderr: stdout belongs to the program.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tooOld } from './node-version.js';
import { pinnedNode, root } from './pinned-node.js';
import { startProgram } from './start-program.js';

const stamp = join(root, 'node_modules', '.weir-lock');
const [program, ...args] = process.argv.slice(2);

if (program === undefined) {
  process.stderr.write('usage: node bin/run.js PROGRAM [ARGUMENT ...]\n');
  process.exitCode = 2;
} else if (bringPackages()) {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(tooOld(process.versions.node));
    process.exitCode = 1;
  } else {
    startProgram(node, [join(root, program), ...args]);
  }
} else {
  process.exitCode = 1;
}

/** True when node_modules is what the lock file says, now. */
function bringPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (read(stamp) === wanted) return true;
  if (installedByHand()) {
    writeFileSync(stamp, wanted);
    return true;
  }
  const startedMs = Date.now();
  process.stderr.write('► npm ci: the packages of the lock file, the pinned Node.js among them\n');
  const npm = process.env['npm_execpath'];
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const done = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) {
    process.stderr.write('✗ npm ci failed; run it by hand to see why\n');
    return false;
  }
  // A lock file without packages leaves no folder.
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stamp, wanted);
  process.stderr.write(`✔ npm ci (${((Date.now() - startedMs) / 1000).toFixed(1)} s)\n`);
  return true;
}

/** `npm ci` or `npm install` was run for this very lock file: npm notes what it installed, and newer than the lock file. */
function installedByHand() {
  const noted = modifiedMs(join(root, 'node_modules', '.package-lock.json'));
  return noted !== null && noted >= (modifiedMs(join(root, 'package-lock.json')) ?? Number.POSITIVE_INFINITY);
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** @param {string} file */
function modifiedMs(file) {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return null;
  }
}
