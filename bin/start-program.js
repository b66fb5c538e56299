import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { compileCache } from './pinned-node.js';

/** @type {readonly NodeJS.Signals[]} */
const forwarded = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2'];
const lookMs = 500;

/**
 * Runs a program in our place: its output, its signals, its exit code. When whoever started us is gone (npm ends its shell and forgets us), the program is told to end:
 * it must not outlive the command that a person stopped.
 * @param {string} program
 * @param {readonly string[]} args
 */
export function startProgram(program, args) {
  const parent = process.ppid;
  const child = spawn(program, args, { stdio: 'inherit', env: { NODE_COMPILE_CACHE: compileCache, ...process.env } });
  for (const signal of forwarded) process.on(signal, () => forward(child, signal));
  const watching = setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, lookMs);
  child.on('error', (error) => {
    clearInterval(watching);
    process.stderr.write(`could not start ${program}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    clearInterval(watching);
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
