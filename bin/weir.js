#!/usr/bin/env node
// Starts the `weir` command with the Node.js that this checkout pins, whatever Node is in PATH.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isEnough, tooOld } from './node-version.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** @type {readonly NodeJS.Signals[]} */
const forwarded = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2'];

const node = findNode();
if (node === undefined) {
  process.stderr.write(tooOld(process.versions.node));
  process.exitCode = 1;
} else {
  start(node);
}

/** The pinned Node, else this one if it is new enough, else undefined. */
function findNode() {
  const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(pinned)) return pinned;
  return isEnough(process.versions.node) ? process.execPath : undefined;
}

/** @param {string} program */
function start(program) {
  const main = join(root, 'services', 'cli', 'main.ts');
  const child = spawn(program, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of forwarded) process.on(signal, () => forward(child, signal));
  child.on('error', (error) => {
    process.stderr.write(`weir could not start ${program}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

/**
 * A terminal sends Ctrl-C to the whole group, so the child has it already: a second one would mean "at once".
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function forward(child, signal) {
  if ((signal === 'SIGINT' || signal === 'SIGQUIT') && process.stdin.isTTY) return;
  child.kill(signal);
}
