import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isEnough } from './node-version.js';

const main = `
const [word = ''] = process.argv.slice(2);
if (word === 'wait') { process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('waiting'); }
else if (word === 'die') process.kill(process.pid, 'SIGKILL');
else { process.stdin.pipe(process.stdout); process.stdin.on('end', () => { console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = Number(word); }); }
`;
let root = '';

/** A bare checkout: the launcher, a small command that says what it was given, and the pinned Node. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-launcher-'));
  await cp(import.meta.dirname, join(root, 'bin'), { recursive: true });
  await mkdir(join(root, 'services/cli'), { recursive: true });
  await mkdir(join(root, 'node_modules'));
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  await writeFile(join(root, 'services/cli/main.ts'), main);
  const name = `node-${process.platform}-${process.arch}`;
  await symlink(join(import.meta.dirname, '../node_modules', name), join(root, 'node_modules', name));
});
afterAll(() => rm(root, { recursive: true }));

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(root, 'bin/weir.js'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function endOf(child: ChildProcess): Promise<{ code: number | null; out: string }> {
  let out = '';
  child.stdout?.on('data', (piece: Buffer) => (out += piece.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, out };
}

test('arguments, input, output and exit code pass through', async () => {
  const child = start('3', 'a b', '--json');
  child.stdin?.end('typed\n');
  expect(await endOf(child)).toEqual({ code: 3, out: 'typed\n["3","a b","--json"]\n' });
});

test('a signal reaches the command and its own answer comes back', async () => {
  const child = start('wait');
  const ended = endOf(child);
  await new Promise((done) => child.stdout?.once('data', done));
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 7, out: 'waiting\n' });
});

test('a command that is killed ends with 128 and the signal', async () => {
  expect(await endOf(start('die'))).toEqual({ code: 137, out: '' });
});

test.each([
  ['20.20.2', false],
  ['24.14.9', false],
  ['24.15.0', true],
  ['26.0.0', true],
])('Node %s is enough: %s', (version, enough) => {
  expect(isEnough(version)).toBe(enough);
});
