import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Names = Type.Record(Type.String(), Type.String());
const Words = Type.Union([Type.String(), Type.Array(Type.String())]);
const Package = Type.Object({
  version: Type.Optional(Type.String()),
  resolved: Type.Optional(Type.String()),
  integrity: Type.Optional(Type.String()),
  dev: Type.Optional(Type.Boolean()),
  optional: Type.Optional(Type.Boolean()),
  os: Type.Optional(Words),
  cpu: Type.Optional(Words),
  optionalDependencies: Type.Optional(Names),
});
/** The part of package-lock.json (version 3) that is looked at; what else an entry holds is kept as it is. */
const Lock = Type.Object({ lockfileVersion: Type.Literal(3), packages: Type.Record(Type.String(), Package) });
export type Package = Type.Static<typeof Package>;
export type Lock = Type.Static<typeof Lock>;

/** Reads a lock file; throws when it is not one of version 3. */
export function parseLock(text: string): Lock {
  const lock: unknown = JSON.parse(text);
  if (Value.Check(Lock, lock)) return lock;
  const [first] = Value.Errors(Lock, lock);
  throw new Error(`package-lock.json: ${first?.instancePath} ${first?.message}`);
}

export type Missing = Readonly<{ of: string; name: string; version: string; dev: boolean }>;

/** Every name in an `optionalDependencies` that no entry answers, looked up from its parent outwards as Node does. */
export function missingOptionals(lock: Lock): readonly Missing[] {
  const found: Missing[] = [];
  for (const [of, one] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(one.optionalDependencies ?? {})) {
      if (!foldersUp(of).some((folder) => Object.hasOwn(lock.packages, `${folder}node_modules/${name}`))) {
        found.push({ of, name, version, dev: one.dev === true });
      }
    }
  }
  return found;
}

/** `node_modules/a/node_modules/b` → itself, `node_modules/a/`, and the root. */
function foldersUp(path: string): readonly string[] {
  const folders: string[] = [];
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) folders.push(`${at}/`);
  return [...folders, ''];
}

const systems: ReadonlySet<string> = new Set('aix android darwin freebsd linux netbsd openbsd openharmony sunos win32'.split(' '));
const processors: ReadonlySet<string> = new Set('arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x wasm32 x64'.split(' '));

/** The entry for a platform's package, its os and cpu read from its name; undefined when the name does not say them or the version is a range. */
export function platformEntry(missing: Missing): Package | undefined {
  if (!/^\d+\.\d+\.\d+[\w.+-]*$/.test(missing.version)) return undefined;
  const words = missing.name.split(/[-/]/);
  const os = words.find((word) => systems.has(word));
  const cpu = words.find((word) => processors.has(word));
  if (os === undefined || cpu === undefined) return undefined;
  return { version: missing.version, cpu: [cpu], ...(missing.dev ? { dev: true } : {}), optional: true, os: [os] };
}
