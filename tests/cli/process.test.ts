import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const dir = useTemporaryDir();
const launcher = join(import.meta.dirname, '../../bin/weir.js');

type Ended = Readonly<{ code: number | null; out: string; err: string }>;

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, onErr?: (pid: number) => void): Promise<Ended> {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: dir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const seen = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (seen.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (seen.err += text));
  if (onErr !== undefined && child.pid !== undefined) onErr(child.pid);
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, ...seen };
}

test('the launcher runs the command, and help says the exit codes', async () => {
  expect(await start(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' });
  const help = await start(['diff', '--help']);
  expect(help.code).toBe(0);
  expect(help.out).toContain('0 no difference · 1 a difference · 2 could not answer · 4 login needed');
});

test('exit codes: 2 for usage and network, 4 for no login; C7: no escapes without a terminal', async () => {
  const cases = [
    { args: ['get'], code: 2 },
    { args: ['no-such-verb'], code: 2 },
    { args: ['get', 'ks', '-n', 'x'], code: 4 },
    { args: ['get', 'ks', '-n', 'x'], code: 2, env: { WEIR_TOKEN: 'x', WEIR_SERVER: 'https://127.0.0.1:1' } },
    { args: ['get', 'ks'], code: 2, env: { WEIR_TOKEN: 'x', WEIR_SERVER: 'http://127.0.0.1:1' } },
    { args: ['get-token'], code: 4 },
  ];
  for (const { args, code, env } of cases) {
    const ended = await start(args, env);
    expect([args, ended.code, ended.out]).toEqual([args, code, '']);
    expect(ended.err).not.toContain('\u001b');
    expect(ended.err.trim(), 'says why').not.toBe('');
  }
});

test('Ctrl-C ends a command that waits with 130', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const connected = once(server, 'connection');
  const env = { WEIR_TOKEN: 'x', WEIR_SERVER: `https://127.0.0.1:${address.port}` };
  const ended = start(['get', 'ks', '-n', 'x'], env, (pid) => void connected.then(() => process.kill(pid, 'SIGINT')));
  expect(await ended).toEqual({ code: 130, out: '', err: 'error: interrupted\n' });
  server.close();
});

test('C13: it works as kubectl weir', async () => {
  const bin = join(dir(), 'bin');
  await mkdir(bin);
  await symlink(launcher, join(bin, 'kubectl-weir'));
  await writeFile(join(dir(), 'empty'), '');
  const { kubectl } = await loadToolPaths({ only: ['kubectl'] });
  const child = spawn(kubectl, ['weir', '--version'], {
    env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: dir(), KUBECONFIG: join(dir(), 'empty') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (out += text));
  const [code] = await once(child, 'close');
  expect([code, out]).toEqual([0, '0.1.0\n']);
});
