import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import Value from 'typebox/value';

const Manifest = Type.Object({ version: Type.String({ maxLength: 100 }) });

/** The release that runs, for user agents. Throws when package.json has none. */
export async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return Value.Parse(Manifest, JSON.parse(text)).version;
}
