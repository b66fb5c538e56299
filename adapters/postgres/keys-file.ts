import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rm } from 'node:fs/promises';
import { AppError } from '#core/errors.ts';
import type { KeyContext, KeyWrap } from './key-ring.ts';

type Kek = Readonly<{ keyId: string; key: Uint8Array }>;

const maxFileBytes = 65_536;
const nonceBytes = 12;
const tagBytes = 16;
const line = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Key-encryption keys in a file, one base64 key of 32 bytes per line, the current one first; older ones only open. Made with one random key (0600)
 * when absent. Throws when others may read it or a line is no key. Losing the file loses every sealed value.
 */
export async function openKeyFile(path: string): Promise<KeyWrap> {
  const keks = await readKeys(path);
  const [current] = keks;
  if (current === undefined) throw new Error(`the key file ${path} holds no key`);
  return Object.freeze({
    keyId: current.keyId,
    wrap: async (context: KeyContext, dek: Uint8Array) => wrapWith(current, context, dek),
    unwrap: async (context: KeyContext, wrapped: Uint8Array, keyId: string) => unwrapWith(keks, context, wrapped, keyId),
  });
}

async function readKeys(path: string): Promise<readonly Kek[]> {
  await makeIfAbsent(path);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const facts = await file.stat();
    if ((facts.mode & 0o077) !== 0) throw new Error(`the key file ${path} may be read by others: chmod 600 it`);
    if (facts.size > maxFileBytes) throw new Error(`the key file ${path} is larger than ${maxFileBytes} bytes`);
    const lines = (await file.readFile('utf8')).split('\n').filter((one) => one !== '');
    if (lines.some((one) => !line.test(one))) throw new Error(`the key file ${path} holds a line that is no key of 32 bytes in base64`);
    return lines.map((one) => {
      const key = Buffer.from(one, 'base64');
      return { key, keyId: createHash('sha256').update('weir-kek').update(key).digest('hex').slice(0, 16) };
    });
  } finally {
    await file.close();
  }
}

/** Written beside and linked into place, so that of several processes one makes it and none reads half of it. */
async function makeIfAbsent(path: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${randomBytes(32).toString('base64')}\n`);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

function wrapWith(kek: Kek, context: KeyContext, dek: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', kek.key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(kek.keyId, context));
  const body = Buffer.concat([cipher.update(dek), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

function unwrapWith(keks: readonly Kek[], context: KeyContext, wrapped: Uint8Array, keyId: string): Uint8Array {
  const kek = keks.find((one) => one.keyId === keyId);
  if (kek === undefined)
    throw new AppError(
      'decryptFailed',
      `the key file does not hold the key ${keyId} under which a data key was wrapped: put that key back`,
    );
  const decipher = createDecipheriv('aes-256-gcm', kek.key, wrapped.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(boundTo(kek.keyId, context));
  decipher.setAuthTag(wrapped.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(wrapped.subarray(nonceBytes + tagBytes)), decipher.final()]);
  } catch {
    throw new AppError('decryptFailed', 'a data key does not open for this tenant: its row was changed or moved');
  }
}

function boundTo(keyId: string, context: KeyContext): Buffer {
  return Buffer.from(JSON.stringify(['weir-dek', keyId, context.tenantId, context.keyClass]));
}
