import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '#core/errors.ts';
import type { SigningKey } from '#core/git-writer.ts';
import { redact } from './messages.ts';

const run = promisify(execFile);

/** How git is told to sign with one key: settings before the sub-command, the key's name, and variables. */
export type Signer = Readonly<{ settings: readonly string[]; key: string; env: Readonly<Record<string, string>> }>;

/** Signers of one session. Keys stand in folders of their own, readable by this account alone, until `close`. */
export type Signers = Readonly<{
  /** Throws AppError gitFailed for a key that is none, or is too weak. Whether the passphrase is right shows at the first signature. */
  of(key: SigningKey): Promise<Signer>;
  close(): Promise<void>;
}>;

export type SignOptions = Readonly<{ path: string; signal: AbortSignal }>;

/** Short on purpose: the name of gpg-agent's socket has 107 bytes at most. `adapters/git/leftovers.ts` looks for it. */
export const SIGN_PREFIX = 'weir-sign-';
const LIMITS = Object.freeze({ timeout: 20_000, maxBuffer: 262_144, killSignal: 'SIGKILL' } as const);
const MIN_RSA_BITS = 2_048;
const SSH_KEY = /^([0-9]{1,6}) \S+ .*\((ED25519|ECDSA|RSA)\)\s*$/;

export function openSigners(options: SignOptions): Signers {
  const opened = new Map<string, Readonly<{ directory: string; type: SigningKey['type']; signer: Promise<Signer> }>>();
  return Object.freeze({
    async of(key: SigningKey) {
      const name = JSON.stringify(key);
      const known = opened.get(name);
      if (known !== undefined) return known.signer;
      const directory = await mkdtemp(join(tmpdir(), SIGN_PREFIX));
      const signer = key.type === 'gpg' ? openPgp(options, directory, key) : openSsh(options, directory, key);
      opened.set(name, { directory, type: key.type, signer });
      return signer;
    },
    async close() {
      for (const { directory, type } of opened.values()) {
        // It would outlive us, with the key in its memory.
        if (type === 'gpg')
          await run('gpgconf', ['--homedir', directory, '--kill', 'gpg-agent'], { ...LIMITS, env: { PATH: options.path } }).catch(ignore);
        await rm(directory, { recursive: true, force: true });
      }
    },
  } satisfies Signers);
}

async function openPgp({ path, signal }: SignOptions, directory: string, { secret, passphrase }: SigningKey): Promise<Signer> {
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text, { mode: 0o600 });
    return join(directory, name);
  };
  const passphraseFile = await file('passphrase', passphrase ?? '');
  await file('gpg.conf', `batch\nno-tty\nno-greeting\npinentry-mode loopback\npassphrase-file ${passphraseFile}\nno-auto-key-locate\n`);
  const env = { PATH: path, HOME: directory, GNUPGHOME: directory, LC_ALL: 'C' };
  const gpg = async (...args: readonly string[]): Promise<string> => {
    try {
      return (await run('gpg', args, { ...LIMITS, env, signal })).stdout;
    } catch (error) {
      throw refusal(error, signal, 'git.asc cannot be read', [secret, passphrase ?? '']);
    }
  };
  await gpg('--import', await file('key.asc', secret));
  await rm(join(directory, 'key.asc'));
  const lines = (await gpg('--with-colons', '--list-secret-keys')).split('\n').map((line) => line.split(':'));
  const keys = lines.filter(([kind]) => kind === 'sec');
  if (keys.length !== 1) throw new AppError('gitFailed', `the signing key: git.asc holds ${keys.length} private keys, and one is needed`);
  const fingerprint = lines.find(([kind]) => kind === 'fpr')?.[9] ?? '';
  if (!/^[0-9A-F]{40,64}$/.test(fingerprint)) throw new AppError('gitFailed', 'the signing key: git.asc holds a key without a fingerprint');
  return { settings: ['-c', 'gpg.format=openpgp'], key: fingerprint, env: { GNUPGHOME: directory } };
}

async function openSsh({ path, signal }: SignOptions, directory: string, { secret, passphrase }: SigningKey): Promise<Signer> {
  const keyFile = join(directory, 'key');
  await writeFile(keyFile, secret.endsWith('\n') ? secret : `${secret}\n`, { mode: 0o600 });
  await writeFile(join(directory, 'passphrase'), passphrase ?? '', { mode: 0o600 });
  const ask = join(directory, 'ask');
  await writeFile(ask, `#!/bin/sh\nexec cat '${join(directory, 'passphrase')}'\n`, { mode: 0o700 });
  const env = { SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force' };
  const shown = await run('ssh-keygen', ['-l', '-f', keyFile], {
    ...LIMITS,
    signal,
    env: { PATH: path, HOME: directory, LC_ALL: 'C', ...env },
  }).catch((error: unknown) => {
    throw refusal(error, signal, 'identity cannot be read', [secret, passphrase ?? '']);
  });
  const [, bits, kind] = SSH_KEY.exec(shown.stdout.trim()) ?? [];
  if (kind === undefined) throw new AppError('gitFailed', 'the signing key: identity must be an ed25519, ecdsa or rsa key');
  if (kind === 'RSA' && Number(bits) < MIN_RSA_BITS)
    throw new AppError('gitFailed', `the signing key: an rsa key of ${bits} bits is too weak, ${MIN_RSA_BITS} are needed`);
  return { settings: ['-c', 'gpg.format=ssh'], key: keyFile, env };
}

/** The program's own words, without the key. */
function refusal(error: unknown, signal: AbortSignal, what: string, secrets: readonly string[]): unknown {
  signal.throwIfAborted();
  if (!(error instanceof Error)) return error;
  if ('code' in error && error.code === 'ENOENT')
    return new AppError(
      'gitFailed',
      'commits cannot be signed here: gpg and ssh-keygen are missing; ask the operator',
      {},
      { cause: error },
    );
  const said = 'stderr' in error && typeof error.stderr === 'string' ? (error.stderr.trim().split('\n').at(-1) ?? '') : '';
  return new AppError('gitFailed', `the signing key: ${what}: ${redact(said, secrets).slice(0, 200)}`);
}

function ignore(): void {
  // Without an agent there is nothing to end; the folder goes in any case.
}
