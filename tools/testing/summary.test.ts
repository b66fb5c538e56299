import { expect, test } from 'vitest';
import { summarize, summaryLine } from './summary.ts';

function file(status: string, ...tests: readonly string[]): object {
  return { name: 'a.test.ts', status, assertionResults: tests.map((one) => ({ status: one, fullName: 'a' })) };
}
function report(...files: readonly object[]): string {
  return JSON.stringify({ testResults: files });
}

test.each([
  ['all pass', report(file('passed', 'passed', 'passed')), 0, '2 passed, 0 failed'],
  ['one fails', report(file('failed', 'passed', 'failed'), file('passed', 'passed')), 1, '2 passed, 1 failed'],
  ['a file that cannot be imported', report(file('passed', 'passed'), file('failed')), 1, '1 passed, 1 failed'],
  [
    'a hook that fails skips its tests',
    report(file('passed', 'passed'), file('failed', 'skipped', 'skipped')),
    1,
    '1 passed, 1 failed, 2 skipped',
  ],
  ['skipped tests are said', report(file('passed', 'passed', 'pending', 'todo')), 0, '1 passed, 0 failed, 2 skipped'],
  ['an error outside of every test', report(file('passed', 'passed')), 1, '1 passed, 1 failed'],
  ['nothing was executed', report(), 0, '0 passed, 1 failed'],
  ['everything was skipped', report(file('passed', 'skipped')), 0, '0 passed, 1 failed, 1 skipped'],
  ['no report at all', undefined, 1, '0 passed, 1 failed'],
])('%s', (_case, text, exitCode, line) => {
  expect(summaryLine(summarize(text, exitCode))).toBe(line);
});
