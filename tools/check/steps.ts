import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { run } from '../setup/run.ts';
import { summaryLine } from '../testing/summary.ts';
import { runVitest } from '../testing/vitest.ts';

export const root = resolve(import.meta.dirname, '../..');
const stepTimeoutMs = 5 * 60_000;
const maxBytes = 64 * 1024 * 1024;

/** What a step found: how many files it looked at (0 is a failure), its findings, and one word more for the summary. */
export type StepResult = Readonly<{ files: number; findings: readonly string[]; note?: string }>;
/** A step over the whole tree, or over the paths (files or folders relative to the root) that were named. */
export type Step = Readonly<{ name: string; run: (paths: readonly string[]) => Promise<StepResult> }>;

/** Steps that do not disturb one another; the unit tests come after them. */
export const steps: readonly Step[] = [
  { name: 'format', run: format },
  { name: 'lint', run: lint },
  { name: 'types', run: types },
  { name: 'boundaries', run: (_paths) => ownStep('boundaries.ts', []) },
  { name: 'generated', run: (_paths) => ownStep('generate.ts', ['--check']) },
];

async function format(paths: readonly string[]): Promise<StepResult> {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const args = [biome, 'check', '--colors=off', '--max-diagnostics=50', '--no-errors-on-unmatched', ...orRoot(paths)];
  const { ok, stdout, stderr, why } = await run(process.execPath, args, { cwd: root, timeoutMs: stepTimeoutMs, maxBytes });
  const text = `${stdout}\n${stderr}`;
  const files = Number(/^Checked (\d+) files?/m.exec(text)?.[1] ?? 0);
  if (ok) return { files, findings: [] };
  const found = [...text.matchAll(/^(\S+?)(?::\d+:\d+)? (format|assist\S*|parse|lint\S*) ━/gm)].map(([, path, rule]) => `${path} ${rule}`);
  return { files, findings: found.length > 0 ? [...new Set(found), 'npm run format mends these'] : [`${why}: ${text.trim()}`] };
}

type Diagnostic = Readonly<{
  message: string;
  code?: string;
  filename?: string;
  labels?: readonly Readonly<{ span: Readonly<{ line: number }> }>[];
}>;

async function lint(paths: readonly string[]): Promise<StepResult> {
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
  const { stdout, stderr, why } = await run(process.execPath, [oxlint, '--format=json', ...orRoot(paths)], {
    cwd: root,
    timeoutMs: stepTimeoutMs,
    maxBytes,
  });
  if (!stdout.trimStart().startsWith('{')) return { files: 0, findings: [`oxlint gave no report (${why}): ${stdout}${stderr}`] };
  const report: { number_of_files: number; diagnostics: readonly Diagnostic[] } = JSON.parse(stdout);
  const findings = report.diagnostics.map(
    (one) => `${one.filename ?? ''}:${one.labels?.[0]?.span.line ?? 0} ${one.code ?? ''} ${one.message}`,
  );
  if (findings.length === 0 && why !== '') return { files: report.number_of_files, findings: [why] };
  return { files: report.number_of_files, findings };
}

/** TypeScript needs the whole program; with paths only the findings there are told. */
async function types(paths: readonly string[]): Promise<StepResult> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', '.', '--pretty', 'false', '--listFiles'];
  const { stdout, stderr, ok, why } = await run(process.execPath, args, { cwd: root, timeoutMs: stepTimeoutMs, maxBytes });
  const lines = `${stdout}\n${stderr}`.split('\n');
  const files = lines.filter((line) => line.startsWith(`${root}/`) && !line.includes('/node_modules/')).length;
  const found = lines.filter((line) => /error TS\d+/.test(line));
  if (!ok && found.length === 0) return { files, findings: [why, ...lines.slice(-10)] };
  return { files, findings: found.filter((line) => isBelow(line, paths)) };
}

async function ownStep(script: string, args: readonly string[]): Promise<StepResult> {
  const { stdout, stderr, ok, why } = await run(process.execPath, [join(root, 'tools', script), ...args], {
    cwd: root,
    timeoutMs: stepTimeoutMs,
  });
  const lines = stdout.trimEnd().split('\n');
  const files = Number(/: (\d+) files/.exec(lines.at(-1) ?? '')?.[1] ?? 0);
  if (ok) return { files, findings: [] };
  return { files, findings: [...lines.slice(0, -1), ...(stderr === '' ? [] : [`${why}: ${stderr.trimEnd()}`])] };
}

/** The unit tests: those that stand beside the sources. tests/ needs real parts and minutes, and belongs to `npm test`. */
export async function unitTests(paths: readonly string[]): Promise<StepResult> {
  const args = ['--project', 'pure', '--project', 'own', ...paths];
  const { summary, output } = await runVitest({ args, output: 'collect', timeoutMs: stepTimeoutMs });
  const findings = summary.failed === 0 ? [] : [output.trimEnd()];
  return { files: summary.files, findings, note: summaryLine(summary) };
}

/** Whether a named part has unit tests at all; if not, there is nothing to run and that is no failure. */
export async function hasUnitTests(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    if (path.endsWith('.test.ts')) return true;
    if (!(await stat(join(root, path))).isDirectory()) continue;
    const names = await readdir(join(root, path), { recursive: true });
    if (names.some((name) => name.endsWith('.test.ts') && !relative(root, join(root, path, name)).startsWith('tests/'))) return true;
  }
  return false;
}

function orRoot(paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? ['.'] : paths;
}

function isBelow(line: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some((path) => line === path || line.startsWith(`${path}/`) || line.startsWith(`${path}(`));
}
