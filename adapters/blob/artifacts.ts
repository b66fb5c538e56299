import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { AppError } from '#core/errors.ts';
import { createIgnoreFilter, type IgnoreRule, parseIgnoreRules } from '#core/ignore-rules.ts';
import type { Artifact, Artifacts } from '#core/ports.ts';
import type { Clock } from '#core/time.ts';
import { type FileIndex, parseFileIndex, writeFileIndex } from './file-index.ts';
import { readTar } from './read-tar.ts';
import { type Staged, stageTar } from './stage.ts';
import { stageFiles } from './stage-files.ts';
import { tarBytes } from './write-tar.ts';

export interface ArtifactStore extends Artifacts {
  /** Path and size of the gzip tarball after its digest was checked. Throws AppError unavailable when it is missing or was damaged (a damaged one is removed, so that its source builds it again). */
  open(digest: string, signal: AbortSignal): Promise<Readonly<{ path: string; sizeBytes: number }>>;
  /** Digest and size of each file, for input digests. Throws AppError unavailable. */
  index(digest: string): Promise<FileIndex>;
  /** Writes the files into an empty folder after checking the digest. Nothing is ever written outside of it. */
  unpackTo(
    digest: string,
    directory: string,
    limits: Readonly<{ maxBytes: number; maxEntries: number }>,
    signal: AbortSignal,
  ): Promise<void>;
  /** Idempotent. */
  remove(digest: string): Promise<void>;
  list(): Promise<readonly Readonly<{ digest: string; sizeBytes: number; usedAtMs: number }>[]>;
  /** Removes what nobody refers to and nobody has put for `minAgeMs`, and temporary files of that age. Answers the removed digests. */
  collect(input: Readonly<{ referenced: ReadonlySet<string>; minAgeMs: number }>): Promise<readonly string[]>;
}

const DIGEST = /^sha256:([0-9a-f]{64})$/;
const TARBALL = '.tar.gz';
const INDEX = '.index.json';

/**
 * Artifacts in a folder, addressed by the digest of their bytes and shared by all tenants: who has no digest from a status of their own cannot name one.
 * Writes are atomic (temporary file, fsync, rename); reads check the digest.
 */
export function createArtifacts({ dir, clock }: Readonly<{ dir: string; clock: Clock }>): ArtifactStore {
  const temporary = join(dir, 'tmp');
  const fileOf = (digest: string, ending: string): string => {
    const hex = DIGEST.exec(digest)?.[1];
    if (hex === undefined) throw new AppError('badRequest', 'an artifact is named by sha256:<64 hexadecimal characters>');
    return join(dir, 'sha256', hex.slice(0, 2), `${hex}${ending}`);
  };

  async function has(digest: string): Promise<boolean> {
    return (await statOf(fileOf(digest, TARBALL))) !== null && (await statOf(fileOf(digest, INDEX))) !== null;
  }

  function put(input: Parameters<Artifacts['put']>[0], signal: AbortSignal): Promise<Artifact> {
    return store(input, signal, async (stage) => filtered(await stageTar(input.tarPath, stage, signal), input.ignore));
  }

  function putFiles(input: Parameters<Artifacts['putFiles']>[0], signal: AbortSignal): Promise<Artifact> {
    return store(input, signal, async () => inByteOrder((await stageFiles(input.files, signal)).entries));
  }

  /** The one way into the store: `collect` answers the entries, staged as files that no tenant named. */
  async function store(
    limits: Readonly<{ maxBytes: number; maxEntries: number }>,
    signal: AbortSignal,
    collect: (stage: string) => Promise<Staged['entries']>,
  ): Promise<Artifact> {
    const stage = join(temporary, randomUUID());
    await mkdir(stage, { recursive: true, mode: 0o700 });
    try {
      const kept = withinLimits(await collect(stage), limits);
      const tarball = join(stage, `artifact${TARBALL}`);
      const digest = await writeTarball(tarball, kept, signal);
      const files = kept.filter((entry) => !entry.isFolder);
      const { size: sizeBytes } = await stat(tarball);
      await mkdir(join(fileOf(digest, ''), '..'), { recursive: true, mode: 0o700 });
      if (await has(digest)) await touch(digest);
      else {
        const index = join(stage, `artifact${INDEX}`);
        await writeFile(index, writeFileIndex(digest, files), { flush: true });
        // The tarball comes last: what has a tarball is complete.
        await rename(index, fileOf(digest, INDEX));
        await rename(tarball, fileOf(digest, TARBALL));
        await syncFolder(join(fileOf(digest, ''), '..'));
      }
      return Object.freeze({ digest, sizeBytes, fileCount: files.length });
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  }

  async function touch(digest: string): Promise<void> {
    const now = new Date(clock.nowMs());
    await utimes(fileOf(digest, TARBALL), now, now);
  }

  async function openChecked(digest: string, signal: AbortSignal): Promise<Readonly<{ path: string; sizeBytes: number }>> {
    const path = fileOf(digest, TARBALL);
    const found = await statOf(path);
    if (found === null) throw new AppError('unavailable', `the artifact ${digest} is not in storage`);
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash, { signal });
    if (`sha256:${hash.digest('hex')}` !== digest) {
      await remove(digest);
      throw new AppError('unavailable', `the artifact ${digest} was damaged and is removed; its source builds it again`);
    }
    return Object.freeze({ path, sizeBytes: found.size });
  }

  async function remove(digest: string): Promise<void> {
    await rm(fileOf(digest, TARBALL), { force: true });
    await rm(fileOf(digest, INDEX), { force: true });
  }

  async function list(): Promise<Awaited<ReturnType<ArtifactStore['list']>>> {
    const found: { digest: string; sizeBytes: number; usedAtMs: number }[] = [];
    for (const folder of await namesIn(join(dir, 'sha256'))) {
      for (const name of await namesIn(join(dir, 'sha256', folder))) {
        const digest = `sha256:${name.slice(0, -TARBALL.length)}`;
        const facts = name.endsWith(TARBALL) && DIGEST.test(digest) ? await statOf(join(dir, 'sha256', folder, name)) : null;
        if (facts !== null) found.push({ digest, sizeBytes: facts.size, usedAtMs: facts.mtimeMs });
      }
    }
    return found;
  }

  return Object.freeze({
    put,
    putFiles,
    has,
    open: openChecked,
    remove,
    list,
    async index(digest) {
      const text = await readFile(fileOf(digest, INDEX), 'utf8').catch((error: unknown) => {
        throw new AppError('unavailable', `the artifact ${digest} is not in storage`, {}, { cause: error });
      });
      return parseFileIndex(text, digest);
    },
    async unpackTo(digest, directory, limits, signal) {
      const { path } = await openChecked(digest, signal);
      await mkdir(directory, { recursive: true });
      if ((await readdir(directory)).length > 0) throw new Error('an artifact is unpacked into an empty folder');
      // Headers and padding count too: at most three blocks per entry.
      const maxBytes = limits.maxBytes + limits.maxEntries * 2_048 + 1_024;
      await readTar(path, { gzip: true, maxBytes, maxEntries: limits.maxEntries, signal }, async (entry) => {
        const target = join(directory, ...entry.names);
        if (entry.isFolder) return void (await mkdir(target, { recursive: true, mode: 0o755 }));
        await mkdir(join(target, '..'), { recursive: true, mode: 0o755 });
        await pipeline(entry.content, createWriteStream(target, { flags: 'wx', mode: entry.executable ? 0o755 : 0o644 }), { signal });
      });
    },
    async collect({ referenced, minAgeMs }) {
      const before = clock.nowMs() - minAgeMs;
      const removed: string[] = [];
      for (const { digest, usedAtMs } of await list()) {
        if (referenced.has(digest) || usedAtMs > before) continue;
        await remove(digest);
        removed.push(digest);
      }
      for (const name of await namesIn(temporary)) {
        const facts = await statOf(join(temporary, name));
        if (facts !== null && facts.mtimeMs <= before) await rm(join(temporary, name), { recursive: true, force: true });
      }
      return removed;
    },
  } satisfies ArtifactStore);
}

/** The entries that the rules leave, in the order of their path's bytes: .sourceignore files from the root down, in the order of their folders, then spec.ignore. */
function filtered({ entries, ignoreFiles }: Staged, ignore: string | null): Staged['entries'] {
  const rules: IgnoreRule[] = ignoreFiles.flatMap(({ folder, text }) => [...parseIgnoreRules(text, folder)]);
  if (ignore !== null) rules.push(...parseIgnoreRules(ignore, []));
  const isIgnored = createIgnoreFilter(rules);
  return inByteOrder(entries.filter((entry) => !isIgnored(entry.path.split('/'), entry.isFolder)));
}

function inByteOrder(entries: Staged['entries']): Staged['entries'] {
  return entries.toSorted((left, right) => Buffer.compare(Buffer.from(left.path), Buffer.from(right.path)));
}

function withinLimits(
  entries: Staged['entries'],
  { maxBytes, maxEntries }: Readonly<{ maxBytes: number; maxEntries: number }>,
): Staged['entries'] {
  if (entries.length > maxEntries)
    throw new AppError(
      'artifactTooLarge',
      `the source has ${entries.length} files and folders, more than ${maxEntries}: leave some out with spec.ignore or .sourceignore`,
    );
  const bytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  if (bytes > maxBytes)
    throw new AppError(
      'artifactTooLarge',
      `the source has ${bytes} bytes, more than ${maxBytes}: leave some out with spec.ignore or .sourceignore`,
    );
  return entries;
}

async function writeTarball(path: string, entries: Staged['entries'], signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(
    tarBytes(entries),
    createGzip({ level: 6 }),
    async function* digesting(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
    { signal },
  );
  return `sha256:${hash.digest('hex')}`;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function statOf(path: string): Promise<Readonly<{ size: number; mtimeMs: number }> | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
