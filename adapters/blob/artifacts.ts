import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '#core/errors.ts';
import type { Artifact, Artifacts } from '#core/ports.ts';
import type { Clock } from '#core/time.ts';
import { type FileIndex, parseFileIndex, writeFileIndex } from './file-index.ts';
import { filtered, inByteOrder, withinLimits, writeTarball } from './pack.ts';
import { type ReadTarOptions, readTar } from './read-tar.ts';
import { entriesOf, type Staged, stageTar } from './stage.ts';
import { stageFiles } from './stage-files.ts';

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
/** Read before the ignore rules are asked. */
const MAX_READ_ENTRIES = 1_000_000;

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
    return store(input, signal, async (stage) =>
      filtered(await stageTar(input.tarPath, stage, await plainTar(input.tarPath, signal)), input.ignore),
    );
  }

  function putLayer(input: Parameters<Artifacts['putLayer']>[0], signal: AbortSignal): Promise<Artifact> {
    const reading = { gzip: true, maxBytes: input.maxDecodedBytes, maxEntries: MAX_READ_ENTRIES, signal };
    return store(input, signal, async (stage) => filtered(await stageTar(input.path, stage, reading), input.ignore));
  }

  async function keepLayer(input: Parameters<Artifacts['keepLayer']>[0], signal: AbortSignal): Promise<Artifact> {
    const stage = await newStage();
    try {
      const tarball = join(stage, `artifact${TARBALL}`);
      await copyFile(input.path, tarball);
      const { size } = await stat(tarball);
      if (size > input.maxBytes) throw new AppError('artifactTooLarge', `the layer has ${size} bytes, more than ${input.maxBytes}`);
      const entries = await entriesOf(tarball, { gzip: true, maxBytes: input.maxDecodedBytes, maxEntries: input.maxEntries, signal });
      const hash = createHash('sha256');
      await pipeline(createReadStream(tarball), hash, { signal });
      await sync(tarball);
      return await place(stage, tarball, `sha256:${hash.digest('hex')}`, entries);
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
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
    const stage = await newStage();
    try {
      const kept = withinLimits(await collect(stage), limits);
      const tarball = join(stage, `artifact${TARBALL}`);
      return await place(stage, tarball, await writeTarball(tarball, kept, signal), kept);
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  }

  async function newStage(): Promise<string> {
    const stage = join(temporary, randomUUID());
    await mkdir(stage, { recursive: true, mode: 0o700 });
    return stage;
  }

  /** Moves a finished tarball to its place and writes its index; one that is there already is young again. */
  async function place(stage: string, tarball: string, digest: string, entries: Staged['entries']): Promise<Artifact> {
    const files = entries.filter((entry) => !entry.isFolder);
    const { size: sizeBytes } = await stat(tarball);
    await mkdir(join(fileOf(digest, ''), '..'), { recursive: true, mode: 0o700 });
    if (await has(digest)) await touch(digest);
    else {
      const index = join(stage, `artifact${INDEX}`);
      await writeFile(index, writeFileIndex(digest, files), { flush: true });
      // The tarball comes last: what has a tarball is complete.
      await rename(index, fileOf(digest, INDEX));
      await rename(tarball, fileOf(digest, TARBALL));
      await sync(join(fileOf(digest, ''), '..'));
    }
    return Object.freeze({ digest, sizeBytes, fileCount: files.length });
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
    putLayer,
    keepLayer,
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

/** A tar that we had git write: as large as it is. */
async function plainTar(path: string, signal: AbortSignal): Promise<ReadTarOptions> {
  return { gzip: false, maxBytes: (await stat(path)).size, maxEntries: MAX_READ_ENTRIES, signal };
}

/** Of a file or of a folder. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
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
