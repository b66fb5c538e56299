import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
let dir: string;

/** A checkout in small: our launcher, a lock file without packages, one program. */
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-run-'));
  await cp(here, join(dir, 'bin'), { recursive: true });
  await writeFile(join(dir, 'package.json'), JSON.stringify({ name: 'small', version: '1.0.0', type: 'module' }));
  await writeFile(
    join(dir, 'package-lock.json'),
    JSON.stringify({ name: 'small', version: '1.0.0', lockfileVersion: 3, packages: { '': { name: 'small', version: '1.0.0' } } }),
  );
  await writeFile(join(dir, 'program.js'), 'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;\n');
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function start(...args: readonly string[]): Promise<Readonly<{ code: number; stdout: string; stderr: string }>> {
  return run(process.execPath, [join(dir, 'bin/run.js'), ...args], { cwd: dir }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

test('a fresh clone gets its packages first, on stderr, and the program speaks for itself', async () => {
  const first = await start('program.js', '--once', 'a b');
  expect(first.stdout).toBe('["--once","a b"]\n');
  expect(first.code).toBe(7);
  expect(first.stderr).toContain('► npm ci');
  const second = await start('program.js');
  expect(second.stderr).toBe('');
  await writeFile(join(dir, 'package-lock.json'), `${await readFile(join(dir, 'package-lock.json'), 'utf8')}\n`);
  expect((await start('program.js')).stderr).toContain('► npm ci');
});

test('packages that were installed by hand for this lock file are taken as they are', async () => {
  await mkdir(join(dir, 'node_modules'));
  await writeFile(join(dir, 'node_modules', '.package-lock.json'), '{}');
  const later = new Date(Date.now() + 60_000);
  await utimes(join(dir, 'node_modules', '.package-lock.json'), later, later);
  expect((await start('program.js')).stderr).toBe('');
});

test('the program ends when whoever started the launcher is gone', async () => {
  await start('program.js');
  await writeFile(
    join(dir, 'endless.js'),
    "process.on('SIGTERM', () => { console.log('told to end'); process.exit(0); }); setInterval(() => undefined, 1000); console.log(process.pid);\n",
  );
  await writeFile(
    join(dir, 'starter.js'),
    "import { spawn } from 'node:child_process'; spawn(process.execPath, ['bin/run.js', 'endless.js'], { stdio: 'inherit' }); setInterval(() => undefined, 1000);\n",
  );
  const starter = spawn(process.execPath, ['starter.js'], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] });
  const seen = { text: '' };
  starter.stdout.on('data', (chunk: Buffer) => {
    seen.text += chunk.toString('utf8');
  });
  try {
    await expect.poll(() => seen.text, { timeout: 10_000 }).toMatch(/^[0-9]+\n/);
  } finally {
    starter.kill('SIGKILL');
  }
  await once(starter, 'exit');
  await expect.poll(() => seen.text, { timeout: 10_000 }).toContain('told to end');
});

test('the pinned Node is preferred to the running one', async () => {
  await start('program.js');
  const pinned = join(dir, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin');
  await mkdir(pinned, { recursive: true });
  await symlink('/bin/echo', join(pinned, 'node'));
  expect((await start('program.js', 'x')).stdout).toBe(`${join(dir, 'program.js')} x\n`);
});
