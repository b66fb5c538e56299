import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { reasonOf, unanswered } from '#services/cli/failure.ts';

const maxBytes = 4 * 1024 * 1024;

/** One context of a kubeconfig, as far as a bearer token can use it. */
export type KubeContext = Readonly<{
  name: string;
  server: string;
  caPem: string | null;
  namespace: string | null;
  skipsVerification: boolean;
  user: Readonly<{
    token: string | null;
    exec: Readonly<{
      apiVersion: string;
      command: string;
      args: readonly string[];
      env: readonly Readonly<{ name: string; value: string }>[];
    }> | null;
    hasCertificate: boolean;
  }>;
}>;

/**
 * A context of the user's own kubeconfig files (the first file that has an entry counts, as in client-go); null context: the current one.
 * Null when there is none. Throws CliFailure (exit 2) for a file that cannot be read, or a context that is named and not there.
 */
export async function readKubeContext(files: readonly string[], context: string | null, mustExist: boolean): Promise<KubeContext | null> {
  const found: Loaded[] = [];
  for (const file of files) {
    const text = await readOrNull(file, mustExist);
    if (text !== null) found.push({ dir: dirname(resolve(file)), body: parseFile(file, text) });
  }
  const name = context ?? found.map((one) => textOf(one.body, 'current-context')).find((one) => one !== '') ?? '';
  const entry = name === '' ? null : entryOf(found, 'contexts', 'context', name);
  if (entry === null) {
    if (context === null) return null;
    const known = found.flatMap((one) => list(one.body, 'contexts').map((each) => textOf(each, 'name')));
    throw unanswered(
      `there is no context ${JSON.stringify(context)} in ${files.join(', ')}`,
      known.length === 0 ? {} : { next: `name one of these: ${known.join(', ')}` },
    );
  }
  const cluster = entryOf(found, 'clusters', 'cluster', textOf(entry.value, 'cluster'));
  const user = entryOf(found, 'users', 'user', textOf(entry.value, 'user'));
  if (cluster === null) throw unanswered(`the context ${JSON.stringify(name)} names a cluster that the kubeconfig does not describe`);
  return {
    name,
    server: textOf(cluster.value, 'server').replace(/\/$/, ''),
    caPem: await pemOf(cluster),
    namespace: textOf(entry.value, 'namespace') || null,
    skipsVerification: field(cluster.value, 'insecure-skip-tls-verify') === true,
    user: await userOf(user),
  };
}

type Loaded = Readonly<{ dir: string; body: unknown }>;
type Entry = Readonly<{ dir: string; value: unknown }>;

async function readOrNull(file: string, mustExist: boolean): Promise<string | null> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length > maxBytes) throw new Error(`it is above the limit of ${maxBytes} bytes`);
    return text;
  } catch (error) {
    if (!mustExist && error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw unanswered(`the kubeconfig ${file} could not be read: ${reasonOf(error)}`, {}, { cause: error });
  }
}

function parseFile(file: string, text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw unanswered(`the kubeconfig ${file} is no YAML: ${reasonOf(error)}`, {}, { cause: error });
  }
}

function entryOf(found: readonly Loaded[], section: string, key: string, name: string): Entry | null {
  for (const { dir, body } of found) {
    const entry = list(body, section).find((one) => textOf(one, 'name') === name);
    if (entry !== undefined) return { dir, value: field(entry, key) };
  }
  return null;
}

async function pemOf({ dir, value }: Entry): Promise<string | null> {
  const data = textOf(value, 'certificate-authority-data');
  if (data !== '') return Buffer.from(data, 'base64').toString('utf8');
  const file = textOf(value, 'certificate-authority');
  return file === '' ? null : readFile(resolve(dir, file), 'utf8');
}

async function userOf(entry: Entry | null): Promise<KubeContext['user']> {
  const value = entry?.value;
  const file = textOf(value, 'tokenFile');
  const token = file === '' ? textOf(value, 'token') : (await readFile(resolve(entry?.dir ?? '', file), 'utf8')).trim();
  const exec = field(value, 'exec');
  return {
    token: token === '' ? null : token,
    hasCertificate: textOf(value, 'client-certificate-data') !== '' || textOf(value, 'client-certificate') !== '',
    exec:
      typeof exec !== 'object' || exec === null
        ? null
        : {
            apiVersion: textOf(exec, 'apiVersion'),
            command: textOf(exec, 'command'),
            args: list(exec, 'args').map(String),
            env: list(exec, 'env').map((one) => ({ name: textOf(one, 'name'), value: textOf(one, 'value') })),
          },
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === 'string' ? found : '';
}

function list(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  return Array.isArray(found) ? found : [];
}
