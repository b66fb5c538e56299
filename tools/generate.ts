import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { targets } from './generate/targets.ts';

const root = resolve(import.meta.dirname, '..');

/** Writes every generated file; with --check only says which differ (exit code 1). Doing it twice changes nothing. */
async function main(): Promise<void> {
  const isCheck = process.argv.includes('--check');
  let stale = 0;
  for (const { path, make } of targets) {
    const file = join(root, path);
    const wanted = await make();
    if (wanted === (await readFile(file, 'utf8').catch(() => undefined))) continue;
    stale += 1;
    process.stdout.write(isCheck ? `${path} is not what \`npm run generate\` makes\n` : `wrote ${path}\n`);
    if (isCheck) continue;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
  }
  process.stdout.write(`generated: ${targets.length} files, ${stale} ${isCheck ? 'problems' : 'written'}\n`);
  process.exitCode = isCheck && stale > 0 ? 1 : 0;
}

await main();
