import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LooseFile } from '#core/bucket.ts';
import type { Compose, Composed, ComposeOutput } from '#core/compose.ts';
import { AppError } from '#core/errors.ts';
import type { Json } from '#core/json.ts';
import type { Artifact } from '#core/ports.ts';
import { applyRule, type Source, type Staging } from './rules.ts';

/** What composing needs of the store, already bound to one tenant. */
export type ComposeStore = Readonly<{
  index(digest: string): Promise<ReadonlyMap<string, Readonly<{ sizeBytes: number }>>>;
  unpackTo(
    digest: string,
    directory: string,
    limits: Readonly<{ maxBytes: number; maxEntries: number }>,
    signal: AbortSignal,
  ): Promise<void>;
  putFiles(input: Readonly<{ files: readonly LooseFile[]; maxBytes: number; maxEntries: number }>, signal: AbortSignal): Promise<Artifact>;
}>;
export type ReadTar = (
  file: string,
  options: Readonly<{ gzip: boolean; maxBytes: number; maxEntries: number; signal: AbortSignal }>,
  onEntry: (entry: Readonly<{ path: string; isFolder: boolean; content: AsyncIterable<Buffer> }>) => Promise<void>,
) => Promise<void>;
export type ComposeTools = Readonly<{
  store: ComposeStore;
  workDir: string;
  readTar: ReadTar;
  parseYaml(text: string, maxBytes: number, signal: AbortSignal): Promise<readonly Json[]>;
}>;

const MAX_SOURCES_BYTES = 1_073_741_824;
const MAX_ARTIFACT_BYTES = 268_435_456;
const MAX_FILES = 50_000;
/** Some seconds of comparing. */
const MAX_LOOKS = 1_000_000;
/** Folders count as entries too. */
const MAX_ENTRIES = 150_000;

/** Composes artifacts in a folder of its own below `workDir`, which is gone afterwards. Keeps nothing. */
export function createCompose(tools: ComposeTools): Compose {
  return Object.freeze({
    async build(sources, outputs, signal) {
      const directory = join(tools.workDir, randomUUID());
      await mkdir(directory, { recursive: true, mode: 0o700 });
      try {
        const opened = await openSources(tools, usedBy(sources, outputs), directory, signal);
        const composed: Composed[] = [];
        const building = { tools, sources: opened, directory, looks: { left: MAX_LOOKS }, signal };
        for (const output of outputs) composed.push(await buildOne(building, output));
        return composed;
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  } satisfies Compose);
}

type Named = Readonly<{ alias: string; digest: string }>;

function usedBy(sources: readonly Named[], outputs: readonly ComposeOutput[]): readonly Named[] {
  const aliases = new Set(outputs.flatMap((one) => one.rules.map((rule) => rule.alias)));
  return sources.filter((one) => aliases.has(one.alias));
}

/** The files of the sources on disk; two aliases of one artifact share them. */
async function openSources({ store }: ComposeTools, sources: readonly Named[], directory: string, signal: AbortSignal) {
  const byDigest = new Map<string, Source>();
  let bytes = 0;
  for (const { digest } of sources) {
    if (byDigest.has(digest)) continue;
    const index = await store.index(digest);
    for (const { sizeBytes } of index.values()) bytes += sizeBytes;
    if (bytes > MAX_SOURCES_BYTES) throw new AppError('artifactTooLarge', `the sources hold more than ${MAX_SOURCES_BYTES} bytes together`);
    const root = join(directory, `source-${byDigest.size}`);
    await store.unpackTo(digest, root, { maxBytes: MAX_SOURCES_BYTES, maxEntries: MAX_ENTRIES }, signal);
    byDigest.set(digest, { root, files: [...index.keys()] });
  }
  return new Map(sources.map(({ alias, digest }) => [alias, byDigest.get(digest) ?? { root: directory, files: [] }]));
}

type Building = Readonly<{
  tools: ComposeTools;
  sources: ReadonlyMap<string, Source>;
  directory: string;
  looks: Staging['looks'];
  signal: AbortSignal;
}>;

async function buildOne({ tools, sources, directory, looks, signal }: Building, output: ComposeOutput): Promise<Composed> {
  const scratch = join(directory, `output-${randomUUID()}`);
  await mkdir(scratch, { mode: 0o700 });
  const staging: Staging = { files: new Map(), scratch, maxFiles: MAX_FILES, left: { bytes: MAX_ARTIFACT_BYTES, merges: 1_000 }, looks };
  try {
    for (const rule of output.rules) {
      const source = sources.get(rule.alias);
      if (source === undefined) return { is: 'refused', message: `${rule.shown}: source alias '${rule.alias}' not found` };
      const problem = await applyRule({ rule, source, staging, tools, signal });
      if (problem !== null) return { is: 'refused', message: `failed to copy ${rule.shown}: ${problem}` };
    }
    const files = [...staging.files].map(([path, file]) => ({ path, file }));
    return { is: 'built', artifact: await tools.store.putFiles({ files, maxBytes: MAX_ARTIFACT_BYTES, maxEntries: MAX_ENTRIES }, signal) };
  } catch (error) {
    if (error instanceof AppError && (error.code === 'badRequest' || error.code === 'artifactTooLarge'))
      return { is: 'refused', message: error.message };
    throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
