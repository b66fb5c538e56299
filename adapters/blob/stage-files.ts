import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { LooseFile } from '#core/bucket.ts';
import { checkFilePaths } from '#core/entry-path.ts';
import type { Staged, StagedEntry } from './stage.ts';

/** Entries of loose files and the folders they need. Their paths are checked as those of an archive are, and never become paths on disk here. */
export async function stageFiles(files: readonly LooseFile[], signal: AbortSignal): Promise<Staged> {
  checkFilePaths(files.map(({ path }) => path));
  const entries = new Map<string, StagedEntry>();
  for (const { path, file } of files) {
    const names = path.split('/');
    for (let end = 1; end < names.length; end += 1) {
      const folder = names.slice(0, end).join('/');
      entries.set(folder, { path: folder, isFolder: true, executable: false, sizeBytes: 0, file: null, sha256: '' });
    }
    const hash = createHash('sha256');
    await pipeline(createReadStream(file), hash, { signal });
    entries.set(path, { path, isFolder: false, executable: false, sizeBytes: (await stat(file)).size, file, sha256: hash.digest('hex') });
  }
  return { entries: [...entries.values()], ignoreFiles: [] };
}
