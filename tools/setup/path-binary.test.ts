import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pinnedTools } from '../binaries.ts';
import { findInPath, saysVersion } from './path-binary.ts';

test('a program of PATH counts only with the right version', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-path-'));
  try {
    await symlink(process.execPath, join(folder, 'tool'));
    const env = { PATH: `relative:${folder}` };
    expect(await findInPath('tool', env)).toBe(join(folder, 'tool'));
    expect(await findInPath('other', env)).toBeUndefined();
    expect(await saysVersion(join(folder, 'tool'), ['--version'], /^v24\./, env)).toBe(true);
    expect(await saysVersion(join(folder, 'tool'), ['--version'], /^v1\./, env)).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('every pinned tool asks for the version it is pinned to', () => {
  for (const tool of pinnedTools) expect(tool.versionPattern.source.replaceAll('\\', '')).toContain(tool.version);
});
