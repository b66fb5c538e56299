import { AppError } from '#core/errors.ts';
import { listTreeCommand } from './arguments.ts';
import type { Session } from './git.ts';
import type { ObjectFolder } from './objects.ts';

type Entry = Readonly<{ mode: string; id: string }>;
/** Names are bytes (latin1 texts), as git sees them; in git's order. */
type Folder = Map<string, Entry>;

/** The folders of a commit that hold certain files, in memory. */
export type Trees = Readonly<{
  /** Puts new content under paths that are there, keeps their modes, stores the trees that change, and answers the root's name. */
  replace(blobs: ReadonlyMap<string, string>, into: ObjectFolder): Promise<string>;
}>;

const LIST_BYTES = 67_108_864;
const PATHS_PER_COMMAND = 500;
const LINE = /^([0-7]{6}) (blob|tree|commit) ([0-9a-f]{40}(?:[0-9a-f]{24})?)\t(.+)$/s;
const ESCAPES: Readonly<Record<string, string>> = Object.freeze({
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  '"': '"',
  '\\': '\\',
});

/** Lists the folders above `paths`, which are files of the commit. Throws AppError gitFailed for more than 64 MiB of entries. */
export async function readTrees({ run, signal }: Session, commit: string, paths: readonly string[]): Promise<Trees> {
  const folders = new Map<string, Folder>([['', new Map()]]);
  for (const path of paths) for (const folder of foldersAbove(bytesOf(path))) if (!folders.has(folder)) folders.set(folder, new Map());
  const local = { remote: false, signal, maxOutputBytes: LIST_BYTES };
  const below = new Set(paths.flatMap((path) => foldersOf(path)));
  const parts: (readonly string[])[] = [[]];
  // In order, so that a folder is listed before or with what is below it, and never in part.
  const named = [...below].map((folder) => `${folder}/`).toSorted();
  for (let from = 0; from < named.length; from += PATHS_PER_COMMAND) parts.push(named.slice(from, from + PATHS_PER_COMMAND));
  for (const part of parts) {
    const { output } = await run(listTreeCommand(commit, part), local);
    for (const line of output.split('\n')) if (line !== '') place(folders, line);
  }
  return Object.freeze({ replace: (blobs: ReadonlyMap<string, string>, into: ObjectFolder) => replace(folders, blobs, into) });
}

function place(folders: ReadonlyMap<string, Folder>, line: string): void {
  const [, mode, , id, shown] = LINE.exec(line) ?? [];
  if (mode === undefined || id === undefined || shown === undefined) throw new AppError('gitFailed', 'git lists a tree in an unknown way');
  const [parent, name] = split(unquoted(shown));
  // Listed on the way to a deeper folder, and once more with its own.
  folders.get(parent)?.set(name, { mode, id });
}

async function replace(folders: ReadonlyMap<string, Folder>, blobs: ReadonlyMap<string, string>, into: ObjectFolder): Promise<string> {
  const touched = new Set<string>(['']);
  for (const [path, id] of blobs) {
    const bytes = bytesOf(path);
    setId(folders, bytes, id);
    for (const folder of foldersAbove(bytes)) touched.add(folder);
  }
  let root = '';
  // A folder is named by what is in it: the deepest first.
  for (const path of [...touched].sort((left, right) => depth(right) - depth(left))) {
    root = await into.store('tree', bodyOf(folders.get(path) ?? new Map()));
    if (path !== '') setId(folders, path, root);
  }
  return root;
}

function setId(folders: ReadonlyMap<string, Folder>, path: string, id: string): void {
  const [parent, name] = split(path);
  const folder = folders.get(parent);
  const entry = folder?.get(name);
  if (folder === undefined || entry === undefined) throw new Error('only what the commit holds is replaced');
  folder.set(name, { ...entry, id });
}

function bodyOf(folder: Folder): Buffer {
  const parts: Buffer[] = [];
  for (const [name, { mode, id }] of folder)
    parts.push(Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`, 'latin1'), Buffer.from(id, 'hex'));
  return Buffer.concat(parts);
}

/** Git puts names in quotes that hold bytes which a terminal might not take, so that no byte is lost in reading. */
function unquoted(shown: string): string {
  if (!shown.startsWith('"')) return shown;
  return shown
    .slice(1, -1)
    .replaceAll(/\\([0-7]{3}|.)/g, (_all, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (ESCAPES[code] ?? code),
    );
}

function bytesOf(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1');
}

/** `a`, `a/b` of `a/b/c`. */
function foldersOf(path: string): readonly string[] {
  const names = path.split('/');
  return names.slice(1).map((_name, index) => names.slice(0, index + 1).join('/'));
}

function foldersAbove(path: string): readonly string[] {
  return ['', ...foldersOf(path)];
}

function split(path: string): readonly [string, string] {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? ['', path] : [path.slice(0, slash), path.slice(slash + 1)];
}

function depth(path: string): number {
  return path === '' ? 0 : path.split('/').length;
}
