import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readKubeContext } from './kubeconfig.ts';
import { removePlaneContexts, setCurrentContext, writePlaneContexts } from './kubeconfig-write.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-kubeconfig-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const mine = `# my clusters
apiVersion: v1
kind: Config
clusters: [{name: other, cluster: {server: "https://other.invalid"}}]
users: [{name: me, user: {token: secret}}]
contexts:
  - name: other # keep this
    context: {cluster: other, user: me}
current-context: other
`;
const entries = { server: 'https://plane.invalid:8443', caPem: 'PEM', program: '/opt/weir', current: 'weir/a/a' };

test('contexts of the plane are added beside what is there, replaced by the next login, and removed by logout', async () => {
  const file = join(dir, 'config');
  await writeFile(file, mine, { mode: 0o640 });
  await writePlaneContexts(file, {
    ...entries,
    contexts: [
      { name: 'weir/a/a', namespace: 'a' },
      { name: 'weir/a/gone', namespace: 'gone' },
    ],
  });
  await writePlaneContexts(file, {
    ...entries,
    contexts: [
      { name: 'weir/a/a', namespace: 'a' },
      { name: 'weir/b/b', namespace: 'b' },
    ],
  });
  const text = await readFile(file, 'utf8');
  expect(text).toContain('# my clusters');
  expect(text).toContain('# keep this');
  expect(text).not.toContain('weir/a/gone');
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect(await readKubeContext([file], null, true)).toMatchObject({
    name: 'weir/a/a',
    server: entries.server,
    caPem: 'PEM',
    namespace: 'a',
    user: { token: null, exec: { command: '/opt/weir', args: ['get-token', '--server', entries.server] } },
  });
  expect(await readKubeContext([file], 'other', true)).toMatchObject({ server: 'https://other.invalid', user: { token: 'secret' } });
  await setCurrentContext(file, 'weir/b/b');
  expect((await readKubeContext([file], null, true))?.namespace).toBe('b');
  await removePlaneContexts(file, entries.server);
  expect(await readFile(file, 'utf8')).not.toContain('weir');
  expect(await readKubeContext([file], null, true)).toBeNull();
});

test('an absent file is made for its owner alone, and a broken one is left as it is', async () => {
  const file = join(dir, 'new', 'config');
  await writePlaneContexts(file, { ...entries, contexts: [] });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const broken = join(dir, 'broken');
  await writeFile(broken, 'a: [');
  await expect(writePlaneContexts(broken, { ...entries, contexts: [] })).rejects.toMatchObject({ exitCode: 2 });
  expect(await readFile(broken, 'utf8')).toBe('a: [');
  await expect(stat(`${broken}.lock`)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a context that is named and not there is told with those that are', async () => {
  const file = join(dir, 'config');
  await writeFile(file, mine);
  await expect(readKubeContext([file], 'nope', true)).rejects.toMatchObject({ exitCode: 2, more: { next: 'name one of these: other' } });
  await expect(readKubeContext([join(dir, 'absent')], null, true)).rejects.toMatchObject({ exitCode: 2 });
  expect(await readKubeContext([join(dir, 'absent')], null, false)).toBeNull();
});
