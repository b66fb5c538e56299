import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { longFiles, maxLines } from './size.ts';

test('a file over the limit is told with its length', async () => {
  const root = await mkdtemp(join(tmpdir(), 'weir-size-'));
  try {
    await writeFile(join(root, 'at.ts'), 'x;\n'.repeat(maxLines));
    await writeFile(join(root, 'over.ts'), 'x;\n'.repeat(maxLines + 1));
    expect(await longFiles(root, ['at.ts', 'over.ts'])).toEqual([{ path: 'over.ts', lines: maxLines + 1, allowed: undefined }]);
  } finally {
    await rm(root, { recursive: true });
  }
});
