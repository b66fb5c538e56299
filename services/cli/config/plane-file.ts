import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import type { Environment } from '#services/cli/config/environment.ts';
import { reasonOf, unanswered } from '#services/cli/failure.ts';

/** A plane that somebody logged in to: how to reach it and its identity provider. Holds no secret. */
export type KnownPlane = Readonly<Static<typeof KnownPlane>>;
const KnownPlane = Type.Object(
  {
    server: Type.String(),
    caPem: Type.Union([Type.String(), Type.Null()]),
    issuer: Type.String(),
    clientId: Type.String(),
    scopes: Type.Array(Type.String()),
    issuerCaPem: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
);
const PlaneFile = Type.Object({ current: Type.String(), planes: Type.Array(KnownPlane) }, { additionalProperties: false });
type PlaneFile = Readonly<Static<typeof PlaneFile>>;

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
    return Value.Parse(PlaneFile, JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return nothing;
    throw unanswered(`${path} could not be read: ${reasonOf(error)}`, { next: 'remove it and run `weir login` again' }, { cause: error });
  }
}

async function save(env: Environment, file: PlaneFile): Promise<void> {
  await mkdir(env.configDir, { recursive: true, mode: 0o700 });
  const path = pathIn(env);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, path);
}
