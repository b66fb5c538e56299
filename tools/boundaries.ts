import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expected, planted } from './boundaries/planted.ts';
import { longFiles, maxLines } from './boundaries/size.ts';
import { cruiseSources } from './boundaries/tree.ts';
import { importableFiles, typescriptFiles } from './sources.ts';

const root = resolve(import.meta.dirname, '..');

/** Checks imports and file sizes. Prints findings and the number of files looked at; exit code 1 on a finding or when files were not seen. */
async function main(): Promise<void> {
  const paths = await typescriptFiles(root);
  const problems = [...(await provePlanted()), ...(await checkImports(paths)), ...(await checkSizes(paths))];
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(`boundaries: ${paths.length} files, ${problems.length} problems\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** The same rules over a tree that breaks each of them: what is not found there would not be found here. */
async function provePlanted(): Promise<readonly string[]> {
  const { violations } = await cruiseSources({ root, sources: planted, others: [] });
  const found = new Set(violations.map((one) => `${one.rule}: ${one.from}`));
  const silent = expected.filter((one) => !found.has(one)).map((one) => `a planted violation was not found: ${one}`);
  const loud = [...found].filter((one) => !expected.includes(one)).map((one) => `a planted import was wrongly found: ${one}`);
  return [...silent, ...loud];
}

async function checkImports(paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length === 0) return ['no source file was found'];
  const sources: Record<string, string> = {};
  for (const path of paths) sources[path] = await readFile(join(root, path), 'utf8');
  const { files, violations } = await cruiseSources({ root, sources, others: await importableFiles(root) });
  const seen = new Set(files);
  const unseen = paths.filter((path) => !seen.has(path)).map((path) => `${path} was not looked at by dependency-cruiser`);
  return [...unseen, ...violations.map((one) => `${one.from} → ${one.to} breaks ${one.rule}`)];
}

async function checkSizes(paths: readonly string[]): Promise<readonly string[]> {
  const long = await longFiles(root, paths);
  return long.map((one) => `${one.path} has ${one.lines} lines, more than ${one.allowed ?? maxLines}: split it (tools/boundaries/size.ts)`);
}

await main();
