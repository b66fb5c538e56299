import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { missingOptionals, parseLock, platformEntry } from './lockfile/lock.ts';

const path = join(resolve(import.meta.dirname, '..'), 'package-lock.json');

/**
 * Adds the entries that npm leaves out without a word when a registry does not have a platform's package; without them `npm ci` fails on
 * every machine ("Missing: … from lock file"). Run it after each `npm install`. Doing it twice changes nothing.
 */
async function main(): Promise<void> {
  const text = await readFile(path, 'utf8');
  const whole: { packages: Record<string, unknown> } = JSON.parse(text);
  const missing = missingOptionals(parseLock(text));
  for (const one of missing) {
    const entry = platformEntry(one);
    if (entry === undefined)
      throw new Error(`${one.name} (of ${one.of}) says no platform in its name: add it to package-lock.json by hand`);
    whole.packages[`node_modules/${one.name}`] = entry;
    process.stdout.write(`added ${one.name} ${one.version}\n`);
  }
  whole.packages = Object.fromEntries(Object.entries(whole.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  if (missing.length > 0) await writeFile(path, `${JSON.stringify(whole, null, 2)}\n`);
  process.stdout.write(`lock file: ${Object.keys(whole.packages).length} packages, ${missing.length} added\n`);
}

await main();
