import { expect, test } from 'vitest';
import { readableHelmError } from './redact.ts';

test('one line without places, tokens, log lines and quoted content', () => {
  const said = readableHelmError(
    'level=WARN msg="x"\nError: UPGRADE FAILED: Get "https://127.0.0.1:6443/api": dial\n open /in/values.json: bad `hunter2` eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl "' +
      'k'.repeat(80) +
      '"',
  );
  expect(said).toBe('UPGRADE FAILED: Get "the API server/api": dial open …: bad `…` … "…"');
});

test('a crash is told in one sentence, and a long message is cut', () => {
  expect(readableHelmError('goroutine 1\npanic: runtime error: index\nstack')).toBe('helm ended with panic: runtime error: index');
  expect(readableHelmError('x'.repeat(9_000))).toHaveLength(2_048);
});
