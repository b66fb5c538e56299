import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cell } from './cell.ts';
import { openCell, strongModes } from './cell.ts';

describe.each(strongModes)('mode %s', (mode) => {
  let cell: Cell;
  beforeAll(async () => {
    cell = await openCell(mode);
  });
  afterAll(() => cell.close());

  test('a program sees the given files, its input and its environment, and nothing else', async () => {
    const found = await cell.script(
      `import { readdirSync, readFileSync } from 'node:fs';
       const list = (path) => { try { return readdirSync(path).sort(); } catch (error) { return error.code; } };
       console.log(JSON.stringify({ root: list('/'), home: list('/root'), etc: list('/etc'), proc: list('/proc'), program: list('/program'), tmp: list('/tmp'), env: Object.keys(process.env).sort(), input: readFileSync(0, 'utf8') }));`,
      { stdin: Buffer.from('hello'), env: { GIVEN: 'yes' } },
    );
    expect(found.stderr).toBe('');
    const seen = JSON.parse(found.stdout.toString());
    expect(seen).toMatchObject({ home: 'ENOENT', etc: 'ENOENT', proc: 'ENOENT', program: ['program.mjs'], tmp: [], input: 'hello' });
    expect(seen.root.filter((name: string) => !['lib', 'lib64', 'program', 'tmp', 'tool', 'usr'].includes(name))).toEqual([]);
    expect(seen.env.filter((name: string) => name !== 'PWD')).toEqual(['GIVEN', 'LD_LIBRARY_PATH']);
  });

  test('a file outside can be reached neither by its path, nor by climbing, nor by a link that the program makes', async () => {
    const canary = join(cell.root, 'canary');
    await writeFile(canary, 'canary-7f3a');
    const found = await cell.script(
      `import { readFileSync, symlinkSync } from 'node:fs';
       const paths = [${JSON.stringify(canary)}, '../../../../../..' + ${JSON.stringify(canary)}, '/proc/1/root' + ${JSON.stringify(canary)}, '/proc/self/environ', '/dev/mem', '/tmp/link'];
       try { symlinkSync(${JSON.stringify(canary)}, '/tmp/link'); } catch { paths.pop(); }
       const read = paths.filter((path) => { try { readFileSync(path); return true; } catch { return false; } });
       console.log(JSON.stringify(read));`,
    );
    expect(JSON.parse(found.stdout.toString())).toEqual([]);
    expect(await readFile(canary, 'utf8')).toBe('canary-7f3a');
  });

  test('given files and the root cannot be changed, and what is written to /tmp is gone', async () => {
    const before = (await readdir(cell.root)).length;
    const found = await cell.script(
      `import { writeFileSync, chmodSync, renameSync } from 'node:fs';
       const tries = { file: () => writeFileSync('/program/program.mjs', 'x'), mode: () => chmodSync('/program/program.mjs', 0o777), folder: () => writeFileSync('/program/new', 'x'), root: () => writeFileSync('/new', 'x'), tool: () => renameSync('/tool', '/tool2'), tmp: () => writeFileSync('/tmp/new', 'x') };
       console.log(JSON.stringify(Object.keys(tries).filter((name) => { try { tries[name](); return true; } catch { return false; } })));`,
    );
    expect(JSON.parse(found.stdout.toString())).toEqual(['tmp']);
    expect((await readdir(cell.root)).length).toBe(before + 1);
    const leftovers = await readdir(join(cell.root, 'sandbox'));
    expect(leftovers.filter((name) => !name.endsWith('.bpf'))).toEqual([]);
  });

  test('no connection: not to this machine, not to a metadata address, not to a name', async () => {
    let hits = 0;
    const server = createServer((socket) => {
      hits += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const found = await cell.script(
      `import { connect } from 'node:net';
       const reach = (host, port) => new Promise((done) => { const socket = connect({ host, port, timeout: 1500 }); socket.once('connect', () => done(true)); socket.once('error', () => done(false)); socket.once('timeout', () => done(false)); });
       const all = await Promise.all([reach('127.0.0.1', ${port}), reach('169.254.169.254', 80), reach('localhost', ${port}), reach('10.0.0.1', 443)]);
       console.log(JSON.stringify(all)); process.exit(0);`,
    );
    server.close();
    expect(JSON.parse(found.stdout.toString())).toEqual([false, false, false, false]);
    expect(hits).toBe(0);
  });
});
