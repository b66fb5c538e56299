import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/**
 * Runs inside a sandbox at its self-test and tries what must fail there: read files outside, reach a listener, start processes without end.
 * Arguments: the canary file, the listener's port, how many processes to try, the program to start. Says what it managed as one line of JSON.
 */
const [canary = '', port = '', tries = '', program = ''] = process.argv.slice(2);

function readable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

function connected(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), timeout: 1_000 });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('timeout', () => resolve(false));
  });
}

/** How many processes could be started at once. */
function startMany(): number {
  for (let started = 0; started < Number(tries); started += 1) {
    const child = spawn(program, ['-e', 'setTimeout(() => 0, 5000)'], { stdio: 'ignore', env: process.env });
    child.on('error', () => undefined);
    if (child.pid === undefined) return started;
  }
  return Number(tries);
}

const read = [canary, `/proc/1/root${canary}`, '/etc/passwd', '/etc/hostname', `../../../..${canary}`].filter(readable);
const reached = await connected();
// Where files or the network are in reach, nothing bounds the processes either: do not try on the bare machine.
const started = read.length === 0 && !reached ? startMany() : 0;
process.stdout.write(`${JSON.stringify({ read, reached, started })}\n`, () => process.exit(0));
