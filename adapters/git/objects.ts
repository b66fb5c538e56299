import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

const pack = promisify(deflate);

/** A folder of loose objects (git's Documentation/gitformat-loose and gitprotocol-common). One process per object would be most of the time that a commit takes. */
export type ObjectFolder = Readonly<{
  /** Writes the object and answers its name. Idempotent. */
  store(type: 'blob' | 'tree' | 'commit', body: Buffer): Promise<string>;
}>;

/** `hash` as the repository has it: its commits have 40 characters with sha1, 64 with sha256. */
export function openObjectFolder(directory: string, hash: 'sha1' | 'sha256'): ObjectFolder {
  return Object.freeze({
    async store(type: 'blob' | 'tree' | 'commit', body: Buffer) {
      const whole = Buffer.concat([Buffer.from(`${type} ${body.byteLength}\0`, 'latin1'), body]);
      const name = createHash(hash).update(whole).digest('hex');
      const folder = join(directory, name.slice(0, 2));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(join(folder, name.slice(2)), await pack(whole), { mode: 0o600 });
      return name;
    },
  } satisfies ObjectFolder);
}
