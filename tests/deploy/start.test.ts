import { readFile, stat } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { ProcessError, type RunningProcess, runProcess, startProcess } from '#deploy/local/process.ts';
import { root } from '#tests/deploy/image-copy.ts';
import { familyOf, stillRunning } from '#tests/deploy/processes.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');

const Ready = Type.Object({
  event: Type.Literal('ready'),
  url: Type.String(),
  caFile: Type.String(),
  issuer: Type.String(),
  notes: Type.Array(Type.String()),
});
type Ready = Static<typeof Ready>;
const startMs = 120_000;

/** Exactly what `npm start` runs, with what a machine gives a program and nothing of WEIR_… that the test does not set. */
function spec(log: string) {
  const inherited = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'GOPATH', 'GOCACHE', 'GOMODCACHE', 'GOPROXY', 'GOFLAGS'].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  return {
    name: 'npm start',
    command: process.execPath,
    args: ['deploy/start.ts', '--json'],
    env: { ...Object.fromEntries(inherited), WEIR_STATE_DIR: join(dir(), 'state'), WEIR_PORT: '0' },
    cwd: root,
    logFile: join(dir(), log),
    lastSignal: 'SIGTERM',
  } as const;
}

async function readyLine(log: string): Promise<Ready | null> {
  const text = await readFile(join(dir(), log), 'utf8').catch(() => '');
  const line = text.split('\n').find((one) => one.startsWith('{"event":"ready"') && one.endsWith('}'));
  return line === undefined ? null : Value.Parse(Ready, JSON.parse(line));
}

async function start(log: string): Promise<Readonly<{ running: RunningProcess; ready: Ready }>> {
  const running = await startProcess(children, {
    ...spec(log),
    ready: async () => (await readyLine(log)) !== null,
    readyTimeoutMs: startMs,
  });
  const ready = await readyLine(log);
  if (ready === null) throw new Error('no ready line');
  return { running, ready };
}

async function get(ready: Ready, path: string): Promise<Readonly<{ status: number; text: string }>> {
  const ca = await readFile(ready.caFile, 'utf8');
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, ready.url), { ca, signal: AbortSignal.timeout(10_000) }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
      incoming.once('error', reject);
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

test('a fresh state folder: ready, told where, and a second start says that one is running', { timeout: 300_000 }, async () => {
  const first = await start('first.log');
  const family = await familyOf(first.running.pid);
  // The plane itself and its embedded stores.
  expect(family.length).toBeGreaterThan(2);
  expect(await get(first.ready, '/readyz')).toEqual({ status: 200, text: 'ok' });
  const verbose = await get(first.ready, '/readyz?verbose');
  for (const part of ['database', 'queue', 'sandbox']) expect(verbose.text).toContain(`]${part} `);
  expect(first.ready.notes.join('\n')).toMatch(/not for production/);
  expect((await stat(join(dir(), 'state/keys/kek'))).mode & 0o777).toBe(0o600);

  const second = await runProcess(children, spec('second.log'), 60_000).catch((error: unknown) => error);
  expect(second).toBeInstanceOf(ProcessError);
  const said = await readFile(join(dir(), 'second.log'), 'utf8');
  expect(said).toMatch(new RegExp(`^Weir is running already \\(process ${first.running.pid}, ${first.ready.url}\\) on .*WEIR_STATE_DIR`));
  expect(String(second)).toContain('exit code 1');
  expect(await get(first.ready, '/livez')).toEqual({ status: 200, text: 'ok' });

  const ca = await readFile(first.ready.caFile, 'utf8');
  expect(await first.running.stop('SIGTERM', 30_000)).toEqual({ code: 0, signal: null });
  expect(await stillRunning(family, 5_000)).toEqual([]);

  // The same folder again: same authority, same database, and one that is interrupted ends as cleanly.
  const again = await start('again.log');
  expect(await readFile(again.ready.caFile, 'utf8')).toBe(ca);
  expect(await get(again.ready, '/readyz')).toEqual({ status: 200, text: 'ok' });
  const familyAgain = await familyOf(again.running.pid);
  expect(await again.running.stop('SIGINT', 30_000)).toEqual({ code: 0, signal: null });
  expect(await stillRunning(familyAgain, 5_000)).toEqual([]);
});

test('one that was killed leaves a folder that the next start takes over', { timeout: 300_000 }, async () => {
  const killed = await start('killed.log');
  const family = await familyOf(killed.running.pid);
  await killed.running.stop('SIGKILL');
  // Its stores end with it: the kernel tells them.
  expect(await stillRunning(family, 20_000)).toEqual([]);
  const next = await start('next.log');
  expect(await get(next.ready, '/readyz')).toEqual({ status: 200, text: 'ok' });
  expect(await next.running.stop('SIGTERM', 30_000)).toEqual({ code: 0, signal: null });
});

test('a variable that Weir does not know fails the start with a sentence, before anything is made', async () => {
  const wrong = {
    ...spec('wrong.log'),
    env: { ...spec('wrong.log').env, WEIR_STATE_DIR: join(dir(), 'none'), WEIR_EGRES_ALLOW: '10.0.0.0/8' },
  };
  await expect(runProcess(children, wrong, 60_000)).rejects.toThrow(/WEIR_EGRES_ALLOW is no variable of Weir/);
  await expect(stat(join(dir(), 'none'))).rejects.toThrow(/ENOENT/);
});
