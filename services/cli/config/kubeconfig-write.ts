import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Document, isMap, isSeq, parseDocument, type YAMLMap, YAMLSeq } from 'yaml';
import { unanswered } from '#services/cli/failure.ts';

export type PlaneContext = Readonly<{ name: string; namespace: string }>;
export type PlaneEntries = Readonly<{
  server: string;
  caPem: string | null /** Launcher that a kubeconfig starts as credential plugin. */;
  program: string;
  contexts: readonly PlaneContext[];
  current: string | null;
}>;

/** One cluster and one user per plane, whatever its contexts are called. */
export function entryName(server: string): string {
  return `weir:${new URL(server).host}`;
}

/** Writes (or replaces) the plane's cluster, user and contexts; everything else in the file stays, comments too. Idempotent. */
export async function writePlaneContexts(file: string, entries: PlaneEntries): Promise<void> {
  await edit(file, (document) => {
    const name = entryName(entries.server);
    dropPlane(document, name, new Set(entries.contexts.map((one) => one.name)));
    put(document, 'clusters', name, 'cluster', {
      server: entries.server,
      ...(entries.caPem === null ? {} : { 'certificate-authority-data': Buffer.from(entries.caPem).toString('base64') }),
    });
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: entries.program,
      args: ['get-token', '--server', entries.server],
      interactiveMode: 'IfAvailable',
      provideClusterInfo: false,
    };
    put(document, 'users', name, 'user', { exec });
    for (const context of entries.contexts)
      put(document, 'contexts', context.name, 'context', { cluster: name, user: name, namespace: context.namespace });
    if (entries.current !== null) document.set('current-context', entries.current);
  });
}

/** Removes what a login wrote for a plane. Idempotent. */
export async function removePlaneContexts(file: string, server: string): Promise<void> {
  await edit(file, (document) => {
    const name = entryName(server);
    dropPlane(document, name, new Set());
    for (const section of ['clusters', 'users']) drop(document, section, (entry) => entry.get('name') === name);
    const current = document.get('current-context');
    const left = section(document, 'contexts').items.some((entry) => isMap(entry) && entry.get('name') === current);
    if (!left) document.set('current-context', '');
  });
}

/** Makes a context the current one. */
export async function setCurrentContext(file: string, name: string, namespace?: string): Promise<void> {
  await edit(file, (document) => {
    document.set('current-context', name);
    const entry = section(document, 'contexts').items.find((one) => isMap(one) && one.get('name') === name);
    if (namespace !== undefined && isMap(entry)) entry.setIn(['context', 'namespace'], namespace);
  });
}

/** Contexts of the plane, but those that are named: a namespace that is gone takes its context with it. */
function dropPlane(document: Document, cluster: string, kept: ReadonlySet<string>): void {
  drop(
    document,
    'contexts',
    (entry) =>
      entry.getIn(['context', 'cluster']) === cluster &&
      String(entry.get('name')).startsWith('weir/') &&
      !kept.has(String(entry.get('name'))),
  );
}

function drop(document: Document, name: string, isGone: (entry: YAMLMap) => boolean): void {
  const list = section(document, name);
  list.items = list.items.filter((entry) => !(isMap(entry) && isGone(entry)));
}

function put(document: Document, name: string, entryNamed: string, key: string, value: object): void {
  const list = section(document, name);
  const entry = document.createNode({ name: entryNamed, [key]: value });
  const at = list.items.findIndex((one) => isMap(one) && one.get('name') === entryNamed);
  if (at === -1) list.items.push(entry);
  else list.items[at] = entry;
}

function section(document: Document, name: string): YAMLSeq {
  const found = document.get(name);
  if (isSeq(found)) {
    found.flow = false;
    return found;
  }
  const made = new YAMLSeq();
  document.set(name, made);
  return made;
}

const maxLockMs = 10_000;

/** client-go's own lock beside the file, then a new file in its place: a reader sees the old or the new one. */
async function edit(file: string, change: (document: Document) => void): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await withClientGoLock(`${file}.lock`, async () => {
    const { text, mode } = await current(file);
    const document = parseDocument(text === '' ? 'apiVersion: v1\nkind: Config\n' : text);
    const [broken] = document.errors;
    if (broken !== undefined) throw unanswered(`the kubeconfig ${file} is no YAML: ${broken.message}`);
    change(document);
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, document.toString({ lineWidth: 0 }), { mode });
    await rename(draft, file);
  });
}

async function current(file: string): Promise<Readonly<{ text: string; mode: number }>> {
  try {
    return { text: await readFile(file, 'utf8'), mode: (await stat(file)).mode & 0o777 };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { text: '', mode: 0o600 };
    throw error;
  }
}

async function withClientGoLock(lock: string, work: () => Promise<void>): Promise<void> {
  const deadline = AbortSignal.timeout(maxLockMs);
  while (!(await takeLock(lock))) {
    if (deadline.aborted)
      throw unanswered(`another program has held ${lock} for ${maxLockMs / 1_000} s`, { next: `if none runs, remove ${lock}` });
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
