import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, parseJson, textAt } from '#core/json.ts';
import type { Cli } from '#services/cli/cli.ts';
import { findKeychain, type Keychain } from '#services/cli/config/keychain.ts';
import { unanswered } from '#services/cli/failure.ts';

/** The tokens of one login. `refreshToken` is null for one that cannot be renewed. */
export type StoredTokens = Readonly<{ token: string; expiresAtMs: number; refreshToken: string | null }>;

/** Where the tokens of one plane are: the keychain where one is at hand, else a file of mode 0600 in the state folder. */
export type TokenStore = Readonly<{
  read(): Promise<StoredTokens | null>;
  write(tokens: StoredTokens): Promise<void>;
  remove(): Promise<void>;
  /** A file beside the tokens for the lock of a refresh. */
  lockPath: string;
}>;

/** `secureOnly`: never a file; throws CliFailure (exit 2) when there is no keychain. */
export async function openTokenStore(cli: Cli, server: string, secureOnly = false): Promise<TokenStore> {
  const dir = join(cli.env.stateDir, 'tokens');
  const name = createHash('sha256').update(server).digest('hex').slice(0, 32);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, `${name}.json`);
  const lockPath = join(dir, `${name}.lock`);
  const keychain = await findKeychain(cli.env);
  if (keychain !== null) return { ...inKeychain(keychain, server), lockPath };
  if (secureOnly)
    throw unanswered('this machine offers no keychain, and --secure-storage forbids a file', {
      next: 'start a secret service (such as gnome-keyring) with secret-tool on PATH, or leave --secure-storage out',
    });
  return { ...inFile(cli, path), lockPath };
}

function inKeychain(keychain: Keychain, server: string): Omit<TokenStore, 'lockPath'> {
  return {
    read: async () => parseTokens(await keychain.read(server)),
    write: (tokens) => keychain.write(server, JSON.stringify(tokens)),
    remove: () => keychain.remove(server),
  };
}

function inFile(cli: Cli, path: string): Omit<TokenStore, 'lockPath'> {
  return {
    read: async () => parseTokens(await readOrNull(path)),
    write: async (tokens) => {
      if (!(await exists(path))) cli.narrate.warn(`no keychain is at hand: the login is kept in ${path}, readable by you alone`);
      const draft = `${path}.${process.pid}`;
      await writeFile(draft, JSON.stringify(tokens), { mode: 0o600 });
      await rename(draft, path);
    },
    remove: () => rm(path, { force: true }),
  };
}

function parseTokens(text: string | null): StoredTokens | null {
  if (text === null) return null;
  try {
    const value = parseJson(text);
    const token = textAt(value, 'token');
    const expiresAtMs = isObject(value) ? value['expiresAtMs'] : undefined;
    if (token === undefined || typeof expiresAtMs !== 'number') throw new Error('a field is missing');
    return { token, expiresAtMs, refreshToken: textAt(value, 'refreshToken') ?? null };
  } catch (error) {
    // Half a file or another version's. Its text is not shown, it may hold a token.
    throw unanswered('the stored login cannot be read', { next: 'run `weir logout`, then `weir login`' }, { cause: error });
  }
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
