import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runExecPlugin } from './exec-plugin.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-exec-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function plugin(script: string): Promise<Parameters<typeof runExecPlugin>[0]> {
  const command = join(dir, 'plugin.cjs');
  await writeFile(command, `#!${process.execPath}\n${script}`);
  await chmod(command, 0o755);
  return { apiVersion: 'client.authentication.k8s.io/v1', command, args: ['one', 'two'], env: [{ name: 'OWN', value: 'yes' }] };
}

const limits = { timeoutMs: 10_000 };
const signal = new AbortController().signal;

test('a plugin gets its arguments, its environment and the exec info of kubectl', async () => {
  const user = await plugin(
    "const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO); console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: [info.kind, info.apiVersion, process.env.OWN, ...process.argv.slice(2)].join(' ') } }));",
  );
  expect(await runExecPlugin(user, limits, signal)).toEqual({
    token: 'ExecCredential client.authentication.k8s.io/v1 yes one two',
    certificatePem: null,
    keyPem: null,
  });
});

test('a plugin that never ends is ended, and the message says so', async () => {
  const user = await plugin('setInterval(() => {}, 1000);');
  await expect(runExecPlugin(user, { timeoutMs: 300 }, signal)).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('did not end within 0.3 s'),
  });
});

test('a failing plugin is quoted by its own words, and what it printed as credential is not', async () => {
  const user = await plugin("console.log('s3cret-token'); console.error('please log in'); process.exit(3);");
  const failure = runExecPlugin(user, limits, signal);
  await expect(failure).rejects.toMatchObject({ message: expect.stringContaining('please log in') });
  await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('s3cret') });
  await expect(runExecPlugin({ ...user, command: join(dir, 'missing') }, limits, signal)).rejects.toMatchObject({ exitCode: 1 });
});
