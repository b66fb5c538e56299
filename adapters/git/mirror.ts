import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#core/errors.ts';
import type { GitUrl } from '#core/git-values.ts';
import type { GitRef } from '#core/ports.ts';
import {
  fetchCommand,
  type GitCommand,
  hasCommand,
  initCommand,
  isAncestorCommand,
  mirroredTipsCommand,
  notReachableCommand,
  repackCommand,
} from './arguments.ts';
import type { RunResult } from './run.ts';

/** Runs a command in the mirror; `remote` gives it the tenant's credential and the network settings. */
export type RunInMirror = (command: GitCommand, options: Readonly<{ remote: boolean; signal: AbortSignal }>) => Promise<RunResult>;

const PREFIX = 'refs/weir/';
const REFS_PER_FETCH = 400;
const MAX_REFS = 2_000;
const PACKS_BEFORE_REPACK = 20;
const SIZE_LOOK_MS = 200;

/**
 * What a tree says about its own attributes is not obeyed: `git archive` would leave out or rewrite files (export-ignore, export-subst, ident, eol,
 * working-tree-encoding, filter). This file stands above every .gitattributes, and `!` makes an attribute unspecified again.
 */
const NO_ATTRIBUTES = '* !export-ignore !export-subst !text !eol !crlf !ident !filter !working-tree-encoding\n';

/** Folder of the mirror of a URL, shared by all tenants that name this URL. */
export function mirrorPath(mirrorsDir: string, url: GitUrl): string {
  return join(mirrorsDir, createHash('sha256').update(url.href).digest('hex'));
}

/** Makes an empty bare mirror when there is none. Atomic: a half-made one never has the final name. */
export async function ensureMirror(directory: string, run: (command: GitCommand) => Promise<RunResult>): Promise<void> {
  if (await exists(join(directory, 'HEAD'))) return;
  const fresh = `${directory}.new-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true, mode: 0o700 });
  await run(initCommand(fresh));
  await mkdir(join(fresh, 'info'), { recursive: true });
  await writeFile(join(fresh, 'info', 'attributes'), NO_ATTRIBUTES);
  await rm(directory, { recursive: true, force: true });
  await rename(fresh, directory);
}

/** The tips that count for a wanted commit: those of `within`, or all heads and tags of the tenant's own ls-remote. */
export function tipsFor(advertised: readonly GitRef[], within: string | null): readonly GitRef[] {
  if (within !== null) return advertised.filter((ref) => ref.name === within);
  return advertised.filter((ref) => ref.name !== 'HEAD');
}

/**
 * Whether the mirror has the commit and one of these advertised tips holds it in its history. Only the tips' own commits are asked, never the mirror's
 * references: another tenant with more rights may have moved those on (design.md section 3).
 */
export async function isReachable(commit: string, tips: readonly GitRef[], run: RunInMirror, signal: AbortSignal): Promise<boolean> {
  const local = { remote: false, signal };
  if ((await run(hasCommand(commit), local)).exitCode !== 0) return false;
  if (tips.some((tip) => tip.commit === commit)) return true;
  const commits = [...new Set(tips.map((tip) => tip.commit))];
  const [only] = commits;
  if (only !== undefined && commits.length === 1) {
    return (await run(hasCommand(only), local)).exitCode === 0 && (await run(isAncestorCommand(commit, only), local)).exitCode === 0;
  }
  for (const part of chunks(commits, REFS_PER_FETCH)) {
    if ((await run(notReachableCommand(commit, part), local)).output.trim() === '') return true;
  }
  return false;
}

/** Fetches what is needed to decide about the commit: the tip that is the commit itself, else every tip that the mirror does not have. */
export async function fetchTips(
  url: GitUrl,
  commit: string,
  tips: readonly GitRef[],
  run: RunInMirror,
  signal: AbortSignal,
): Promise<void> {
  const exact = tips.find((tip) => tip.commit === commit);
  const wanted = exact === undefined ? await missingTips(tips, run, signal) : [exact];
  if (wanted.length > MAX_REFS)
    throw new AppError(
      'gitFailed',
      `the repository has ${wanted.length} references to look through, more than ${MAX_REFS}: name the branch of the commit in spec.ref.branch`,
    );
  for (const part of chunks(wanted, REFS_PER_FETCH)) {
    await run(
      fetchCommand(
        url,
        part.map(({ name }) => ({ name, target: targetOf(name) })),
      ),
      { remote: true, signal },
    );
  }
}

/** Joins packs when there are many; a mirror gets one pack per fetch. */
export async function tidyMirror(directory: string, run: RunInMirror, signal: AbortSignal): Promise<void> {
  const packs = (await readdir(join(directory, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'));
  if (packs.length > PACKS_BEFORE_REPACK) await run(repackCommand(), { remote: false, signal });
}

/** Aborts `work` when the mirror outgrows its limit while a hostile or huge server sends (C11). */
export async function withinBytes<T>(
  directory: string,
  maxBytes: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const error = new AppError('artifactTooLarge', `the repository is larger than ${maxBytes} bytes`);
  const packs = join(directory, 'objects', 'pack');
  const timer = setInterval(() => {
    void bytesOf(packs).then((bytes) => (bytes > maxBytes ? over.abort(error) : undefined));
  }, SIZE_LOOK_MS);
  try {
    const done = await work(AbortSignal.any([signal, over.signal]));
    // A fast server can send it all between two looks.
    if ((await bytesOf(packs)) > maxBytes) throw error;
    return done;
  } catch (thrown) {
    // Kept, it would be found there the next time and pass.
    if (thrown === error || over.signal.aborted) await rm(directory, { recursive: true, force: true });
    throw thrown;
  } finally {
    clearInterval(timer);
  }
}

async function bytesOf(directory: string): Promise<number> {
  let total = 0;
  for (const name of await readdir(directory).catch(() => [])) {
    // A pack may be renamed between listing and looking; the next look counts it.
    total += await stat(join(directory, name)).then(
      (found) => found.size,
      () => 0,
    );
  }
  return total;
}

async function missingTips(tips: readonly GitRef[], run: RunInMirror, signal: AbortSignal): Promise<readonly GitRef[]> {
  const { output } = await run(mirroredTipsCommand(PREFIX), { remote: false, signal });
  const have = new Set(output.split('\n'));
  return tips.filter((tip) => !have.has(tip.commit));
}

/** One name per reference of the remote; hashed, so that `a` and `a/b` never stand in each other's way. */
function targetOf(name: string): string {
  return `${PREFIX}${createHash('sha256').update(name).digest('hex').slice(0, 40)}`;
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
