import { stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { hasUnitTests, root, type Step, type StepResult, steps, unitTests } from './check/steps.ts';

const maxFindings = 60;

/** `npm run check [-- path…]`: format, lint, types, boundaries, generated files, unit tests. Every step must have looked at files. */
async function main(): Promise<void> {
  const startedMs = performance.now();
  const paths = await Promise.all(process.argv.slice(2).map(insideRoot));
  const results = await Promise.all(steps.map((step) => report(step, paths)));
  const isTested = paths.length === 0 || (await hasUnitTests(paths));
  if (isTested) results.push(await report({ name: 'unit tests', run: unitTests }, paths));
  const failed = results.filter((good) => !good).length;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`check: ${failed === 0 ? 'all good' : `${failed} of ${results.length} steps failed`} (${seconds} s)\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Runs one step and says at once what it found; true when all is good. */
async function report(step: Step, paths: readonly string[]): Promise<boolean> {
  const startedMs = performance.now();
  const result = await step.run(paths).catch((error: unknown): StepResult => ({ files: 0, findings: [String(error)] }));
  const findings =
    result.files === 0 ? [...result.findings, 'it looked at no file: a check that sees nothing proves nothing'] : result.findings;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const word = findings.length === 0 ? 'ok  ' : 'FAIL';
  const note = result.note === undefined ? '' : `, ${result.note}`;
  const shown = findings.slice(0, maxFindings).map((one) => `     ${one}\n`);
  const rest = findings.length > maxFindings ? `     and ${findings.length - maxFindings} more\n` : '';
  process.stdout.write(`${word} ${step.name}: ${result.files} files${note} (${seconds} s)\n${shown.join('')}${rest}`);
  return findings.length === 0;
}

/** A path of the command line, relative to the root; throws when it is not there or outside. */
async function insideRoot(argument: string): Promise<string> {
  const path = relative(root, resolve(process.cwd(), argument));
  if (path.startsWith('..')) throw new Error(`${argument} is outside of this repository`);
  await stat(join(root, path));
  return path === '' ? '.' : path;
}

await main();
