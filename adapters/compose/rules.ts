import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import type { CopyRule } from '#core/compose.ts';
import { entryNames, shown } from '#core/entry-path.ts';
import { AppError } from '#core/errors.ts';
import { type Glob, isGlobMatch } from '#core/glob.ts';
import type { ComposeTools } from './compose.ts';
import { mergeInto } from './merge.ts';

const SLICE = 2_000;
const EXCLUDE_SLICE = 50;

/** A source on disk: paths of its files below `root`. */
export type Source = Readonly<{ root: string; files: readonly string[] }>;

/** An artifact to be: where the content of each path lies. Nothing is copied before it is packed. */
export type Staging = Readonly<{
  files: Map<string, string>;
  /** Folder for what is made on the way, under names of ours. */
  scratch: string;
  maxFiles: number;
  left: { bytes: number; merges: number };
  /** How often a path may still be compared with a pattern, in the whole build. */
  looks: { left: number };
}>;

export type Step = Readonly<{ rule: CopyRule; source: Source; staging: Staging; tools: ComposeTools; signal: AbortSignal }>;

/** Carries out one rule, as `cp` and Flux's source-watcher (internal/builder) do; answers what does not fit, or null. Throws AppError badRequest, artifactTooLarge. */
export async function applyRule(step: Step): Promise<string | null> {
  // Many rules over many files must not hold up other runs.
  await setImmediate(undefined, { signal: step.signal });
  const { from } = step.rule;
  return from.is === 'path' ? fromPath(step, from.path) : fromGlob(step, from);
}

async function fromPath(step: Step, path: string): Promise<string | null> {
  const { rule, source, staging } = step;
  const isFile = source.files.includes(path);
  const below = isFile ? [] : filesBelow(source, path);
  if (!isFile && below.length === 0) return `source '${path}' does not exist`;
  if (!isFile) {
    if (rule.strategy === 'Extract') return `extract strategy is not supported for directories, got '${path}'`;
    const target = joined(rule.to, path.split('/').at(-1) ?? '');
    for (const file of await notExcluded(step, below, path, path)) {
      await place(step, file, joined(target, path === '' ? file : file.slice(path.length + 1)));
    }
    return null;
  }
  if (isExcluded(step, path, '', path)) return null;
  if (rule.strategy === 'Extract') {
    if (!isTarball(path)) return `extract strategy requires tarball file (.tar.gz or .tgz), got '${path}'`;
    await extract(step, path);
    return null;
  }
  const intoFolder = rule.intoFolder || isFolder(staging, rule.to);
  await place(step, path, intoFolder ? joined(rule.to, path.split('/').at(-1) ?? path) : rule.to);
  return null;
}

async function fromGlob(step: Step, { text, glob }: Extract<CopyRule['from'], { is: 'glob' }>): Promise<string | null> {
  const { rule, source } = step;
  const base = fixedPart(text);
  // What `**` finds holds every file already; folders are looked at where a pattern may end in one.
  const folders = text === '**' || text.endsWith('/**') ? [] : foldersOf(source);
  const matches = await matching(step, glob, [...source.files, ...folders]);
  if (matches.length === 0) return `no files match pattern '${text}' in source '${rule.alias}'`;
  const kept = await notExcluded(step, matches, base, base);
  if (kept.length === 0) return `all files matching pattern '${text}' in source '${rule.alias}' were excluded`;
  const known = new Set(source.files);
  for (const match of kept) {
    step.signal.throwIfAborted();
    if (rule.strategy === 'Extract') {
      if (known.has(match) && isTarball(match)) await extract(step, match);
      continue;
    }
    const target = joined(rule.to, afterFolder(text, match));
    if (known.has(match)) await place(step, match, target);
    else
      for (const file of await notExcluded(step, filesBelow(source, match), base, match))
        await place(step, file, joined(target, file.slice(match.length + 1)));
  }
  return null;
}

/** The paths that match, in slices between which others get their turn. */
async function matching({ staging, signal }: Step, glob: Glob, paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (let from = 0; from < paths.length; from += SLICE) {
    const slice = paths.slice(from, from + SLICE);
    look(staging, slice.length * glob.alternatives.length);
    found.push(...slice.filter((path) => isGlobMatch(glob, path)));
    await setImmediate(undefined, { signal });
  }
  return found;
}

/** The paths that no pattern excludes, in slices as above. */
async function notExcluded(step: Step, paths: readonly string[], base: string, walk: string): Promise<readonly string[]> {
  if (step.rule.exclude.length === 0) return paths;
  const kept: string[] = [];
  for (const [index, path] of paths.entries()) {
    if (!isExcluded(step, path, base, walk)) kept.push(path);
    if (index % EXCLUDE_SLICE === 0) await setImmediate(undefined, { signal: step.signal });
  }
  return kept;
}

function look({ looks }: Staging, count: number): void {
  looks.left -= count;
  if (looks.left < 0)
    throw new AppError('artifactTooLarge', 'patterns are compared with too many files: name folders instead, or use fewer patterns');
}

/** `dir/**` leaves the folder out of the target, as `cp -r dir/. target` does; other patterns keep the whole path. */
function afterFolder(pattern: string, match: string): string {
  const folder = pattern.endsWith('/**') ? pattern.slice(0, -2) : '';
  return folder !== '' && match.startsWith(folder) ? match.slice(folder.length) : match;
}

/** The part of a pattern before its first segment that is more than a name. */
function fixedPart(pattern: string): string {
  const names = pattern.split('/');
  const first = names.findIndex((name) => /[*?[\]]/.test(name));
  return names.slice(0, first < 0 ? names.length : first).join('/');
}

function filesBelow({ files }: Source, folder: string): readonly string[] {
  return folder === '' ? files : files.filter((file) => file.startsWith(`${folder}/`));
}

function foldersOf({ files }: Source): readonly string[] {
  const folders = new Set<string>();
  for (const file of files) for (let at = file.indexOf('/'); at > 0; at = file.indexOf('/', at + 1)) folders.add(file.slice(0, at));
  return [...folders];
}

function isFolder({ files }: Staging, path: string): boolean {
  return path === '' || [...files.keys()].some((one) => one.startsWith(`${path}/`));
}

function joined(folder: string, name: string): string {
  return folder === '' ? name : name === '' ? folder : `${folder}/${name}`;
}

function isTarball(path: string): boolean {
  return path.endsWith('.tar.gz') || path.endsWith('.tgz');
}

/** Whether the file, or a folder on the way to it from where the walk began, is excluded: by its path, by its path from `base`, or by its name where the pattern has no slash. */
function isExcluded({ rule: { exclude }, staging }: Step, file: string, base: string, walk: string): boolean {
  if (exclude.length === 0) return false;
  const names = file.split('/');
  const start = walk === file ? names.length : walk === '' ? 1 : walk.split('/').length + 1;
  for (let end = start; end <= names.length; end += 1) {
    for (const { glob } of exclude) look(staging, 3 * glob.alternatives.length);
    const path = names.slice(0, end).join('/');
    const relative = base !== '' && path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path;
    const found = exclude.some(
      ({ text, glob }) =>
        isGlobMatch(glob, path) || isGlobMatch(glob, relative) || (!text.includes('/') && isGlobMatch(glob, names[end - 1] ?? '')),
    );
    if (found) return true;
  }
  return false;
}

async function place(step: Step, path: string, target: string): Promise<void> {
  const { rule, source, staging } = step;
  const file = join(source.root, ...entryNames(path));
  const before = staging.files.get(target);
  put(staging, target, rule.strategy === 'Merge' && before !== undefined ? await mergeInto(step, before, file, target) : file);
}

function put({ files, maxFiles }: Staging, target: string, file: string): void {
  files.set(target, file);
  if (files.size > maxFiles) throw new AppError('artifactTooLarge', `the artifact holds more than ${maxFiles} files`);
}

/** The files of an archive below the target; links are left out and hostile entries refused by the reader. */
async function extract({ rule, source, staging, tools, signal }: Step, path: string): Promise<void> {
  const limits = { gzip: true, maxBytes: staging.left.bytes, maxEntries: staging.maxFiles, signal };
  await tools.readTar(join(source.root, ...entryNames(path)), limits, async ({ path: name, isFolder: isEntryFolder, content }) => {
    if (isEntryFolder) return;
    const file = join(staging.scratch, randomUUID());
    await pipeline(
      content,
      async function* counted(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          staging.left.bytes -= chunk.length;
          if (staging.left.bytes < 0) throw new AppError('artifactTooLarge', `what ${shown(path)} holds is too big`);
          yield chunk;
        }
      },
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
      { signal },
    );
    put(staging, joined(rule.to, entryNames(name).join('/')), file);
  });
}
