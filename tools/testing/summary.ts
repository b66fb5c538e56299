import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Assertion = Type.Object({ status: Type.String(), fullName: Type.String() });
const File = Type.Object({
  name: Type.String(),
  status: Type.String(),
  message: Type.Optional(Type.String()),
  assertionResults: Type.Array(Assertion),
});
/** The part of vitest's JSON report that is counted. */
const Report = Type.Object({ testResults: Type.Array(File) });

export type Summary = Readonly<{ files: number; passed: number; failed: number; skipped: number }>;

/**
 * Counts a vitest JSON report. A file that failed without a failed test (its import, a hook, no test in it) counts as one failure;
 * so do an exit code other than 0 that no failure explains, and a run in which nothing was executed.
 */
export function summarize(text: string | undefined, exitCode: number): Summary {
  const report: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!Value.Check(Report, report)) return { files: 0, passed: 0, failed: 1, skipped: 0 };
  const tests = report.testResults.flatMap((file) => file.assertionResults.map((one) => one.status));
  const passed = tests.filter((status) => status === 'passed').length;
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
  );
  const failed = tests.filter((status) => status === 'failed').length + brokenFiles.length;
  const unexplained = failed === 0 && (exitCode !== 0 || passed === 0) ? 1 : 0;
  const skipped = tests.length - passed - tests.filter((status) => status === 'failed').length;
  return { files: report.testResults.length, passed, failed: failed + unexplained, skipped };
}

/** The last line of `npm test`. */
export function summaryLine({ passed, failed, skipped }: Summary): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
