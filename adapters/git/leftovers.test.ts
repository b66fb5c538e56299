import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '#core/time.ts';
import { removeLeftovers } from './leftovers.ts';

test('old leftovers go; young ones, mirrors, locks and whole packs stay', async () => {
  const root = await mkdtemp(join(tmpdir(), 'weir-left-'));
  try {
    const old = [
      'work/tenant/t1/git-a/ca.pem',
      'work/tenant/t2/tree-b/tree.tar',
      'mirrors/x.new-17/HEAD',
      'mirrors/x/objects/pack/tmp_pack_1',
      'mirrors/x.lock.0a-1',
    ];
    const kept = ['work/tenant/t1/git-young/ca.pem', 'mirrors/x/objects/pack/pack-1.pack', 'mirrors/x/HEAD', 'mirrors/y.lock'];
    for (const path of [...old, ...kept]) {
      await mkdir(join(root, dirname(path)), { recursive: true });
      await writeFile(join(root, path), 'x');
    }
    const past = new Date(Date.now() - 100_000);
    for (const path of [
      'work/tenant/t1/git-a',
      'work/tenant/t2/tree-b',
      'mirrors/x.new-17',
      'mirrors/x/objects/pack/tmp_pack_1',
      'mirrors/x.lock.0a-1',
      'mirrors/x/objects/pack/pack-1.pack',
      'mirrors/y.lock',
    ]) {
      await utimes(join(root, path), past, past);
    }
    const options = { workDir: join(root, 'work'), mirrorsDir: join(root, 'mirrors'), minAgeMs: 60_000, clock: systemClock };
    expect(await removeLeftovers(options)).toBe(5);
    expect(await removeLeftovers(options)).toBe(0);
    const files = (await readdir(root, { recursive: true, withFileTypes: true }))
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name).slice(root.length + 1));
    expect(files.sort()).toEqual([...kept].sort());
    expect(await removeLeftovers({ ...options, workDir: join(root, 'none'), mirrorsDir: join(root, 'none') })).toBe(0);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
