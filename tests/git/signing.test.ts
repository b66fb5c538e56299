import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGitWriter } from '#adapters/git/write.ts';
import type { GitWriter, SigningKey } from '#core/git-writer.ts';
import { startGitServer, type TestGitServer, type TestRepository } from './git-server.ts';
import { openTenantGit, signal, type TenantGit, writing } from './tenant-git.ts';

/** Commits signed with real keys, judged by `git verify-commit` with the real gpg and ssh-keygen. */

const run = promisify(execFile);
const limits = { timeoutMs: 60_000 } as const;
const email = 'bot@weir.test';
const PASSPHRASE = 'canary passphrase 81c2';
let server: TestGitServer;
let tenant: TenantGit;
let writer: GitWriter;
/** Short: gpg-agent's socket has 107 bytes at most. */
let home: string;
let made: TestRepository;
const keys: Record<string, SigningKey> = {};

beforeAll(async () => {
  server = await startGitServer();
  tenant = await openTenantGit();
  writer = createGitWriter(writing(tenant));
  home = await mkdtemp(join(tmpdir(), 'weir-keys-'));
  made = await server.repository('signed.git');
  await made.git('-C', made.directory, 'config', 'http.receivepack', 'true');
  await made.commit('main', { 'x.yaml': 'MARK\n' });
  keys['gpg'] = await gpgKey('plain', '');
  keys['gpg with a passphrase'] = await gpgKey('locked', PASSPHRASE);
  for (const [name, type, passphrase] of [
    ['ssh ed25519', 'ed25519', ''],
    ['ssh ecdsa with a password', 'ecdsa', PASSPHRASE],
    ['ssh rsa', 'rsa', ''],
  ] as const)
    keys[name] = await sshKey(name.replaceAll(' ', '-'), type, passphrase);
  await writeFile(join(home, 'signers'), (await publicKeys()).map((key) => `${email} namespaces="git" ${key}\n`).join(''));
});
afterAll(async () => {
  await run('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
  await rm(home, { recursive: true, force: true });
  await server.close();
  await tenant.close();
});

const gpg = (...args: readonly string[]) => run('gpg', ['--homedir', home, '--batch', '--pinentry-mode', 'loopback', ...args]);

async function gpgKey(name: string, passphrase: string): Promise<SigningKey> {
  await gpg('--passphrase', passphrase, '--quick-generate-key', `${name} <${name}@weir.test>`, 'ed25519', 'sign', '1d');
  const { stdout } = await gpg('--passphrase', passphrase, '--armor', '--export-secret-keys', `${name}@weir.test`);
  return { type: 'gpg', secret: stdout, passphrase: passphrase === '' ? null : passphrase };
}

async function sshKey(name: string, type: string, passphrase: string, bits: readonly string[] = []): Promise<SigningKey> {
  const file = join(home, name);
  await run('ssh-keygen', ['-q', '-t', type, ...bits, '-N', passphrase, '-f', file]);
  return { type: 'ssh', secret: await readFile(file, 'utf8'), passphrase: passphrase === '' ? null : passphrase };
}

async function publicKeys(): Promise<readonly string[]> {
  const files = (await readdir(home)).filter((one) => one.endsWith('.pub'));
  return Promise.all(files.map(async (one) => (await readFile(join(home, one), 'utf8')).trim()));
}

/** Writes a line signed with a key. */
function write(line: string, signing: SigningKey | null) {
  return writer.write(
    { url: server.url('signed.git'), credential: { is: 'none' }, caPem: server.caPem },
    {
      from: { at: 'reference', name: 'refs/heads/main' },
      branch: 'main',
      alsoTo: [],
      options: {},
      folder: '',
      holding: 'MARK',
      accepts: () => true,
      author: { name: 'Weir Bot', email },
      signing,
      edit: async ([file]) => ({
        updateId: 'ab'.repeat(32),
        plan: file === undefined ? null : { files: [{ path: file.path, text: `${file.text}${line}\n` }], message: line },
      }),
    },
    limits,
    signal,
  );
}

async function verified(commit: string): Promise<string> {
  const settings = ['-c', `gpg.ssh.allowedSignersFile=${join(home, 'signers')}`];
  const args = ['-C', made.directory, ...settings, 'verify-commit', '--raw', commit];
  const { stderr } = await run('git', args, { env: { PATH: process.env['PATH'], HOME: home, GNUPGHOME: home } });
  return stderr;
}

const signFolders = async (): Promise<readonly string[]> => (await readdir(tmpdir())).filter((one) => one.startsWith('weir-sign-'));

test.each(['gpg', 'gpg with a passphrase', 'ssh ed25519', 'ssh ecdsa with a password', 'ssh rsa'])('%s', async (name) => {
  const written = await write(name, keys[name] ?? null);
  if (written.is !== 'pushed') throw new Error('it was not pushed');
  expect(await verified(written.commit)).toMatch(name.startsWith('gpg') ? /GOODSIG/ : new RegExp(`Good "git" signature for ${email}`));
  expect(await made.git('-C', made.directory, 'log', '-1', '--format=%an <%ae> %cn%n%B', written.commit)).toBe(
    `Weir Bot <${email}> Weir Bot\n${name}\n\nWeir-Update: ${'ab'.repeat(32)}`,
  );
});

test('several keys in one push, unsigned ones between them, and one that cannot sign fails alone', async () => {
  const wrong: SigningKey = { ...(keys['gpg with a passphrase'] as SigningKey), passphrase: 'wrong' };
  const all = await Promise.allSettled([
    write('one', keys['gpg'] ?? null),
    write('two', null),
    write('three', wrong),
    write('four', keys['ssh ed25519'] ?? null),
  ]);
  expect(all.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(all[2]).toMatchObject({ reason: { code: 'gitFailed', message: expect.stringContaining('could not be signed') } });
  const log = await made.git('-C', made.directory, 'log', '-3', '--format=%s %H', 'main');
  const commits = new Map(log.split('\n').map((line) => line.split(' ') as [string, string]));
  expect([...commits.keys()].toSorted()).toEqual(['four', 'one', 'two']);
  expect(await verified(commits.get('one') ?? '')).toContain('GOODSIG');
  await expect(verified(commits.get('two') ?? '')).rejects.toMatchObject({ code: 1 });
  expect(await verified(commits.get('four') ?? '')).toContain('Good "git" signature');
  expect(await made.git('-C', made.directory, 'show', 'main:x.yaml')).not.toContain('three');
});

test('what is no key, two keys, or too weak a key is refused in words that show nothing of it', async () => {
  const before = await made.git('-C', made.directory, 'rev-parse', 'main');
  const two = `${keys['gpg']?.secret ?? ''}\n${keys['gpg with a passphrase']?.secret ?? ''}`;
  const weak = await sshKey('weak', 'rsa', '', ['-b', '1024']);
  for (const [key, message] of [
    [{ type: 'gpg', secret: 'canary-no-key-77aa', passphrase: null }, 'git.asc'],
    [{ type: 'gpg', secret: two, passphrase: null }, 'holds 2 private keys'],
    [{ type: 'ssh', secret: 'canary-no-key-77aa', passphrase: null }, 'identity'],
    [weak, '1024 bits is too weak'],
    [{ ...(keys['ssh ecdsa with a password'] as SigningKey), passphrase: null }, 'could not be signed'],
  ] as const) {
    const error = await write('never', key).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'gitFailed', message: expect.stringContaining(message) });
    expect(String(error)).not.toContain('canary');
  }
  expect(await made.git('-C', made.directory, 'rev-parse', 'main')).toBe(before);
});

test('no key, no passphrase and no agent of a signature stays', async () => {
  await mkdir(tenant.options.workDir, { recursive: true });
  expect(await signFolders()).toEqual([]);
  const { stdout } = await run('ps', ['-eo', 'args']);
  expect(stdout.split('\n').filter((line) => line.includes('weir-sign-'))).toEqual([]);
});
