import { expect, test } from 'vitest';
import { AppError, type ErrorCode, TerminalError } from '../errors.ts';
import { judgeError } from './judge.ts';

test.each([
  ['gitFailed', 'failed', 'GitOperationFailed'],
  ['gitAuthFailed', 'failed', 'AuthenticationFailed'],
  ['buildFailed', 'failed', 'BuildFailed'],
  ['clusterUnreachable', 'failed', 'ClusterUnreachable'],
  ['clusterAnswer', 'failed', 'ReconciliationFailed'],
  ['pruneFailed', 'failed', 'PruneFailed'],
  ['invalid', 'failed', 'ReconciliationFailed'],
  ['unknownResult', 'waiting', 'UnknownResult'],
  ['forbidden', 'stalled', 'AccessDenied'],
  ['egressDenied', 'stalled', 'AccessDenied'],
] as const)('%s is %s with reason %s, in its own words', (code: ErrorCode, is, reason) => {
  expect(judgeError(new AppError(code, 'what to do'), 'ReconciliationFailed')).toMatchObject({ is, reason, message: 'what to do' });
});

test('a terminal error stalls, a lost fence says nothing, a bug shows no text of its own', () => {
  expect(judgeError(new TerminalError('URLInvalid', 'no host'), 'ReconciliationFailed')).toMatchObject({
    is: 'stalled',
    reason: 'URLInvalid',
  });
  expect(judgeError(new AppError('fenceLost', 'x'), 'ReconciliationFailed')).toBeNull();
  const bug = judgeError(new Error('secret canary in a stack'), 'BuildFailed');
  expect(bug).toMatchObject({ is: 'failed', reason: 'BuildFailed' });
  expect(JSON.stringify(bug)).not.toContain('canary');
});
