import { expect, test } from 'vitest';
import { pathsFlagged } from './snippets.ts';

test('no text is read by a shell', async () => {
  const flagged = await pathsFlagged('weir(no-shell)', {
    'adapters/git/bad-exec.ts': "import { exec } from 'node:child_process';\nexec('ls');",
    'adapters/git/bad-exec-sync.ts': "import { execSync as run } from 'child_process';\nrun('ls');",
    'adapters/git/bad-whole.ts': "import * as processes from 'node:child_process';\nprocesses.exec('ls');",
    'adapters/git/bad-option.ts': "import { spawn } from 'node:child_process';\nspawn('ls', [], { shell: true });",
    'adapters/git/bad-command.ts': "import { spawn } from 'node:child_process';\nspawn('/bin/bash', ['-ec', 'ls']);",
    'tests/cluster/bad.test.ts': "import { execFile } from 'node:child_process';\nexecFile('ls', [], { shell: '/bin/sh' });",
    'adapters/git/good.ts':
      "import { execFile, spawn } from 'node:child_process';\nexecFile('git', ['status']);\nspawn('git', ['fetch'], { shell: false });",
    'adapters/git/good-word.ts': "export const text = /a/.exec('a');",
  });
  expect(flagged).toEqual([
    'adapters/git/bad-command.ts',
    'adapters/git/bad-exec-sync.ts',
    'adapters/git/bad-exec.ts',
    'adapters/git/bad-option.ts',
    'adapters/git/bad-whole.ts',
    'tests/cluster/bad.test.ts',
  ]);
});
