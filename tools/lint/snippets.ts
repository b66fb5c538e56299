import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

type Report = Readonly<{ number_of_files: number; diagnostics: readonly Readonly<{ code?: string; filename: string }>[] }>;

/**
 * Runs the real oxlint with the real .oxlintrc.json (its overrides included) over snippets at the given paths.
 * Returns the paths at which `rule` spoke, sorted, one entry per finding. Throws if oxlint did not look at every snippet.
 */
export async function pathsFlagged(rule: string, snippets: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-lint-'));
  try {
    await writeSettings(folder);
    for (const [path, code] of Object.entries(snippets)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), code);
    }
    const report = await oxlint(folder);
    const wanted = Object.keys(snippets).length;
    if (report.number_of_files !== wanted) throw new Error(`oxlint looked at ${report.number_of_files} of ${wanted} snippets`);
    const own = report.diagnostics.filter((one) => one.code === rule);
    return own.map((one) => one.filename).sort();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeSettings(folder: string): Promise<void> {
  const settings = JSON.parse(await readFile(join(root, '.oxlintrc.json'), 'utf8'));
  settings.jsPlugins = [join(root, 'tools/lint/plugin.ts')];
  delete settings.$schema;
  await writeFile(join(folder, '.oxlintrc.json'), JSON.stringify(settings));
  const compilerOptions = { strict: true, module: 'nodenext', target: 'esnext', noEmit: true, types: [] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
}

async function oxlint(folder: string): Promise<Report> {
  const program = join(root, 'node_modules/oxlint/bin/oxlint');
  const text = await new Promise<string>((done, fail) => {
    const limits = { cwd: folder, timeout: 60_000, maxBuffer: 8 * 1024 * 1024 };
    execFile(
      process.execPath,
      [program, '--format=json', '--disable-nested-config', '-c', '.oxlintrc.json', '.'],
      limits,
      (error, stdout, stderr) => {
        if (stdout.trimStart().startsWith('{')) done(stdout);
        else fail(new Error(`oxlint gave no report: ${stdout}${stderr}`, { cause: error }));
      },
    );
  });
  return JSON.parse(text);
}
