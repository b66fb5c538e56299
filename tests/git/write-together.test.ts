import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createGitWriter } from '#adapters/git/write.ts';
import type { GitWriter, TextFile, WriteWant } from '#core/git-writer.ts';
import { startGitServer, type TestGitServer, type TestRepository } from './git-server.ts';
import { openTenantGit, signal, type TenantGit, writing } from './tenant-git.ts';

/** Writes that wait for one branch go in one push, each as its own commit; what goes wrong with one of them is its own. */

let server: TestGitServer;
let tenant: TenantGit;
let writer: GitWriter;
const pushes: string[] = [];
const limits = { timeoutMs: 60_000 } as const;
const MARK = 'MARK';

beforeAll(async () => {
  server = await startGitServer();
  tenant = await openTenantGit();
  writer = createGitWriter(writing(tenant));
});
afterAll(async () => {
  await server.close();
  await tenant.close();
});
beforeEach(() => {
  pushes.length = 0;
  server.intercept.handle = (request) => {
    if (request.method === 'POST' && request.url?.endsWith('git-receive-pack') === true) pushes.push(request.url);
    return false;
  };
});

async function repository(name: string, files: Readonly<Record<string, string>>): Promise<TestRepository> {
  const made = await server.repository(name);
  await made.git('-C', made.directory, 'config', 'http.receivepack', 'true');
  await made.commit('main', files);
  return made;
}

const idOf = (index: number): string => index.toString(16).padStart(64, '0');
const files = (count: number): Readonly<Record<string, string>> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`d${index % 3}/ä ${index}/x.yaml`, `${MARK}\n`]));

/** What one automation wants: a line in each file of its own folder. */
function want(index: number, part: Partial<WriteWant> = {}): WriteWant {
  return {
    from: { at: 'reference', name: 'refs/heads/main' },
    signing: null,
    branch: 'main',
    alsoTo: [],
    options: {},
    folder: `d${index % 3}/ä ${index}`,
    holding: MARK,
    accepts: (path) => path.endsWith('.yaml'),
    author: { name: `Bot ${index}`, email: 'bot@weir.test' },
    edit: async (found) => append(found, index),
    ...part,
  };
}

function append(found: readonly TextFile[], index: number) {
  const changed = found.filter(({ text }) => !text.includes(`by ${index}\n`)).map((one) => ({ ...one, text: `${one.text}by ${index}\n` }));
  return { updateId: idOf(index), plan: changed.length === 0 ? null : { files: changed, message: `Change ${index}` } };
}

function writeAll(name: string, wants: readonly WriteWant[]) {
  const remote = { url: server.url(name), credential: { is: 'none' }, caPem: server.caPem } as const;
  return Promise.allSettled(wants.map((one) => writer.write(remote, one, limits, signal)));
}

const inOrder = async (made: TestRepository): Promise<readonly string[]> =>
  (await made.git('-C', made.directory, 'log', '--reverse', '--format=%an', 'main')).split('\n').slice(1);

test('twenty decisions at one branch are twenty commits in a handful of pushes, each with its own author and files', async () => {
  const made = await repository('together.git', { ...files(20), 'other/ü.txt': 'kept', 'other/link': `link:ü.txt` });
  const written = await writeAll(
    'together.git',
    Array.from({ length: 20 }, (_, index) => want(index)),
  );
  expect(pushes.length).toBeLessThanOrEqual(3);
  expect((await inOrder(made)).toSorted()).toEqual(Array.from({ length: 20 }, (_, index) => `Bot ${index}`).toSorted());
  const head = await made.git('-C', made.directory, 'rev-parse', 'main');
  for (const [index, one] of written.entries()) {
    if (one.status !== 'fulfilled' || one.value.is !== 'pushed') throw new Error(`write ${index}: ${JSON.stringify(one)}`);
    const { commit } = one.value;
    expect(await made.git('-C', made.directory, 'show', '--no-patch', '--format=%an|%B', commit)).toBe(
      `Bot ${index}|Change ${index}\n\nWeir-Update: ${idOf(index)}`,
    );
    const changed = ['-c', 'core.quotePath=false', 'diff-tree', '-r', '--no-commit-id', '--name-only', commit];
    expect(await made.git('-C', made.directory, ...changed)).toBe(`d${index % 3}/ä ${index}/x.yaml`);
  }
  expect(written.some((one) => one.status === 'fulfilled' && one.value.head === head)).toBe(true);
  expect(await made.git('-C', made.directory, 'show', 'main:other/ü.txt')).toBe('kept');
  expect(await made.git('-C', made.directory, 'fsck', '--strict')).toBe('');
});

test('writes to the same file are made one after the other, each on what the one before left', async () => {
  const made = await repository('same.git', { 'x.yaml': `${MARK}\n` });
  await writeAll(
    'same.git',
    Array.from({ length: 6 }, (_, index) => want(index, { folder: '' })),
  );
  const lines = (await made.git('-C', made.directory, 'show', 'main:x.yaml')).split('\n').slice(1);
  expect(lines.toSorted()).toEqual(Array.from({ length: 6 }, (_, index) => `by ${index}`));
  expect((await inOrder(made)).length).toBe(6);
});

test('one whose decision fails, whose files are too large, or who left, fails alone', async () => {
  const made = await repository('alone.git', { ...files(6), 'large/x.yaml': `${MARK}${'x'.repeat(1_100_000)}` });
  const leaving = AbortSignal.abort(new Error('left'));
  const remote = { url: server.url('alone.git'), credential: { is: 'none' }, caPem: server.caPem } as const;
  const wants = [0, 1, 2, 3, 4].map((index) => want(index));
  const [written, left] = await Promise.all([
    writeAll('alone.git', [
      ...wants,
      want(5, {
        edit: async () => {
          throw new Error('no template');
        },
      }),
      want(6, { folder: 'large' }),
    ]),
    writer.write(remote, want(7), limits, leaving).catch((error: unknown) => error),
  ]);
  expect(left).toMatchObject({ message: 'left' });
  expect(written.map((one) => one.status)).toEqual([...wants.map(() => 'fulfilled'), 'rejected', 'rejected']);
  expect(written[5]).toMatchObject({ reason: { message: 'no template' } });
  expect(written[6]).toMatchObject({ reason: { code: 'gitFailed', message: expect.stringContaining('large/x.yaml') } });
  expect((await inOrder(made)).toSorted()).toEqual(['Bot 0', 'Bot 1', 'Bot 2', 'Bot 3', 'Bot 4']);
});

test('a hook that minds one of several commits refuses that one alone', async () => {
  const made = await repository('hook.git', files(6));
  await mkdir(join(made.directory, 'hooks'), { recursive: true });
  const hook =
    '#!/bin/sh\nwhile read old new ref; do git log --format=%an $old..$new | grep -q "Bot 3" && { echo "no Bot 3 here" >&2; exit 1; }; done\nexit 0\n';
  await writeFile(join(made.directory, 'hooks', 'pre-receive'), hook, { mode: 0o755 });
  const written = await writeAll(
    'hook.git',
    [0, 1, 2, 3, 4, 5].map((index) => want(index)),
  );
  for (const [index, one] of written.entries())
    if (index === 3) expect(one).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('no Bot 3 here') } });
    else expect(one, `write ${index}`).toMatchObject({ status: 'fulfilled', value: { is: 'pushed' } });
  expect((await inOrder(made)).length).toBe(5);
});

test('of two where one has nothing to change, a refusal of the other is no word about the first', async () => {
  const made = await repository('quiet.git', files(2));
  await mkdir(join(made.directory, 'hooks'), { recursive: true });
  await writeFile(join(made.directory, 'hooks', 'pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const [quiet, refused] = await writeAll('quiet.git', [want(0, { edit: async () => ({ updateId: idOf(0), plan: null }) }), want(1)]);
  expect(quiet).toMatchObject({ status: 'fulfilled', value: { is: 'unchanged' } });
  expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'gitFailed' } });
});

test('who leads the push and is stopped in the middle leaves the others to one of themselves', async () => {
  const made = await repository('stopped.git', files(5));
  const remote = { url: server.url('stopped.git'), credential: { is: 'none' }, caPem: server.caPem } as const;
  const stop = new AbortController();
  const stopped = want(0, {
    edit: async (found) => {
      stop.abort(new Error('stopped'));
      return append(found, 0);
    },
  });
  const [first, rest] = await Promise.all([
    writer.write(remote, stopped, limits, stop.signal).catch((error: unknown) => error),
    writeAll(
      'stopped.git',
      [1, 2, 3, 4].map((index) => want(index)),
    ),
  ]);
  expect(first).toMatchObject({ message: 'stopped' });
  expect(rest.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect((await inOrder(made)).length).toBe(4);
});

test('a remote that cannot be reached fails everybody who waits, once', async () => {
  await repository('gone.git', files(4));
  let asked = 0;
  server.intercept.handle = (request, response) => {
    if (request.url?.includes('gone.git') !== true) return false;
    asked += 1;
    response.writeHead(500).end();
    return true;
  };
  const written = await writeAll(
    'gone.git',
    [0, 1, 2, 3].map((index) => want(index)),
  );
  expect(written.map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
  expect(asked).toBe(1);
});
