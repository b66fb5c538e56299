import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '#core/json.ts';
import { isObject, parseJson, stringifyJson } from '#core/json.ts';
import type { Clock } from '#core/time.ts';
import type { BuiltObject } from './objects.ts';

/** Everything a build gave before substitution, and the names of the variables that substitution would read. */
export type Built = Readonly<{ objects: readonly BuiltObject[]; names: readonly string[] }>;
export type BuildCacheLimits = Readonly<{ maxEntries: number; maxAgeMs: number; maxEntryBytes: number }>;

export interface BuildCache {
  /** What was put under this key, or null. A file that does not have its digest is removed and counts as missing. */
  get(key: string): Promise<Built | null>;
  /** Idempotent. An entry over the size limit is not kept. */
  put(key: string, built: Built): Promise<void>;
}

/** A folder of files named by key, of one tenant. Entries that were not used for `maxAgeMs`, and the oldest over `maxEntries`, go when one is put. */
export function createBuildCache(dir: string, limits: BuildCacheLimits, clock: Clock): BuildCache {
  return {
    async get(key) {
      const path = join(dir, `${key}.json`);
      const text = await readIfThere(path, limits.maxEntryBytes);
      if (text === null) return null;
      const built = verified(text);
      if (built === null) {
        await rm(path, { force: true });
        return null;
      }
      const now = clock.nowMs() / 1_000;
      // Another process may have removed it in between; what was read is still right.
      await utimes(path, now, now).catch(() => undefined);
      return built;
    },
    async put(key, built) {
      const body = stringifyJson({ names: built.names, objects: built.objects });
      if (Buffer.byteLength(body) > limits.maxEntryBytes) return;
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const temporary = join(dir, `${key}.${process.pid}.${Math.trunc(clock.random() * 1e9)}.tmp`);
      await writeFile(temporary, `${sha256(body)}\n${body}`, { mode: 0o600 });
      await rename(temporary, join(dir, `${key}.json`));
      await evict(dir, limits, clock.nowMs());
    },
  };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function readIfThere(path: string, maxEntryBytes: number): Promise<string | null> {
  try {
    if ((await stat(path)).size > maxEntryBytes + 100) return null;
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function verified(text: string): Built | null {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (sha256(body) !== text.slice(0, end)) return null;
  return shaped(fastParse(body));
}

/** The reviver that keeps large integers is slow: it runs only when the text holds a run of digits that could be one. */
function fastParse(text: string): Json {
  if (/[0-9]{16}/.test(text)) return parseJson(text);
  const value: Json = JSON.parse(text);
  return value;
}

function shaped(value: Json): Built | null {
  if (!isObject(value)) return null;
  const { names, objects } = value;
  if (!Array.isArray(names) || !Array.isArray(objects)) return null;
  const built: BuiltObject[] = [];
  for (const one of objects) {
    if (!isObject(one) || !isObject(one['object'])) return null;
    const text = one['text'];
    built.push({ object: one['object'], text: typeof text === 'string' ? text : null });
  }
  return { objects: built, names: names.filter((name) => typeof name === 'string') };
}

async function evict(dir: string, limits: BuildCacheLimits, nowMs: number): Promise<void> {
  const names = await readdir(dir);
  const aged: { path: string; usedMs: number }[] = [];
  for (const name of names) {
    const path = join(dir, name);
    const found = await stat(path).catch(() => null);
    if (found !== null) aged.push({ path, usedMs: found.mtimeMs });
  }
  aged.sort((one, other) => other.usedMs - one.usedMs);
  const gone = aged.filter(({ usedMs }, index) => index >= limits.maxEntries || nowMs - usedMs > limits.maxAgeMs);
  for (const { path } of gone) await rm(path, { force: true });
}
