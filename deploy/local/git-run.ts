import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const timeoutMs = 60_000;
const maxBytes = 16 * 1024 * 1024;

/**
 * Runs the real git for demo and tests, with nothing of the caller's configuration, and returns its stdout.
 * Throws an error that quotes stderr when it exits with anything but 0.
 */
export async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
  const { stdout } = await run('git', args, { cwd, env, timeout: timeoutMs, maxBuffer: maxBytes });
  return stdout;
}
