import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type Json, parseJson, textAt } from '#core/json.ts';
import type { Environment } from '#services/cli/config/environment.ts';
import { reasonOf, unanswered } from '#services/cli/failure.ts';

/** A plane that somebody logged in to: how to reach it and its identity provider. Holds no secret. */
export type KnownPlane = Readonly<{
  server: string;
  caPem: string | null;
  issuer: string;
  clientId: string;
  scopes: readonly string[];
  issuerCaPem: string | null;
}>;
type PlaneFile = Readonly<{ current: string; planes: readonly KnownPlane[] }>;

const nothing: PlaneFile = Object.freeze({ current: '', planes: [] });

/** The plane of that address, or the one logged in to last; null when there is none. Throws CliFailure (exit 2) for a file that is broken. */
export async function knownPlane(env: Environment, server: string | null): Promise<KnownPlane | null> {
  const file = await load(env);
  return file.planes.find((one) => one.server === (server ?? file.current)) ?? null;
}

/** Keeps it as the current one. */
export async function rememberPlane(env: Environment, plane: KnownPlane): Promise<void> {
  const { planes } = await load(env);
  await save(env, { current: plane.server, planes: [...planes.filter((one) => one.server !== plane.server), plane] });
}

/** Forgets it; the file stays for the others. */
export async function forgetPlane(env: Environment, server: string): Promise<void> {
  const { current, planes } = await load(env);
  const left = planes.filter((one) => one.server !== server);
  if (left.length !== planes.length) await save(env, { current: current === server ? (left.at(-1)?.server ?? '') : current, planes: left });
}

function pathIn(env: Environment): string {
  return join(env.configDir, 'config.json');
}

async function load(env: Environment): Promise<PlaneFile> {
  const path = pathIn(env);
  try {
    return fileOf(parseJson(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return nothing;
    throw unanswered(`${path} could not be read: ${reasonOf(error)}`, { next: 'remove it and run `weir login` again' }, { cause: error });
  }
}

/** By hand: a schema library would cost every command 0.1 s, `get-token` within kubectl too. */
function fileOf(value: Json): PlaneFile {
  const planes = isObject(value) ? value['planes'] : undefined;
  const current = textAt(value, 'current');
  if (current === undefined || !Array.isArray(planes)) throw new Error('it is not a configuration of weir');
  return { current, planes: planes.map(planeOf) };
}

function planeOf(value: Json): KnownPlane {
  const [server, issuer, clientId] = ['server', 'issuer', 'clientId'].map((name) => textAt(value, name));
  const scopes = isObject(value) ? value['scopes'] : undefined;
  if (server === undefined || issuer === undefined || clientId === undefined || !Array.isArray(scopes))
    throw new Error('a plane in it lacks a field');
  const texts = scopes.filter((one) => typeof one === 'string');
  return {
    server,
    caPem: textAt(value, 'caPem') ?? null,
    issuer,
    clientId,
    scopes: texts,
    issuerCaPem: textAt(value, 'issuerCaPem') ?? null,
  };
}

async function save(env: Environment, file: PlaneFile): Promise<void> {
  await mkdir(env.configDir, { recursive: true, mode: 0o700 });
  const path = pathIn(env);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}
