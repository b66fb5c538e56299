import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import Type from 'typebox';
import Value from 'typebox/value';
import { DEMO_EGRESS, inheritedEnvironment } from '#deploy/demo/plane-process.ts';
import type { Children } from '#deploy/local/children.ts';
import { ProcessError, type RunningProcess, startProcess } from '#deploy/local/process.ts';

/** A plane that may die at any time. */
export type FaultPlane = Readonly<{ url: string; issuer: string; pid: number; logFile: string; process: RunningProcess }>;

const Ready = Type.Object({ event: Type.Literal('ready'), url: Type.String(), caFile: Type.String(), issuer: Type.String() });
const PROGRAM = fileURLToPath(new URL('../../deploy/start.ts', import.meta.url));
const READY_MS = 60_000;
/** A dead run's lease is over soon, so that tests need not wait for it. */
export const LEASE_MS = 2_000;

type Options = Readonly<{ stateDir: string; logFile: string; port: number; env?: Readonly<Record<string, string>> }>;

/** Starts the plane as `npm start` does, on a fixed port. Null when it died before it was ready, as a failpoint may make it. */
export async function startFaultPlane(children: Children, { stateDir, logFile, port, env = {} }: Options): Promise<FaultPlane | null> {
  const mayDie = env['WEIR_FAILPOINT'] !== undefined;
  try {
    const running = await startProcess(children, {
      name: 'plane',
      command: process.execPath,
      args: [PROGRAM, '--json'],
      cwd: stateDir,
      lastSignal: 'SIGTERM',
      env: {
        ...inheritedEnvironment(),
        WEIR_STATE_DIR: stateDir,
        WEIR_PORT: String(port),
        WEIR_EGRESS_ALLOW: DEMO_EGRESS,
        WEIR_LOG_LEVEL: 'info',
        WEIR_TEST: '1',
        WEIR_LEASE_MS: String(LEASE_MS),
        ...env,
      },
      logFile,
      ready: async () => (await readyLine(logFile)) !== null,
      readyTimeoutMs: READY_MS,
    });
    const ready = await readyLine(logFile);
    if (ready === null) throw new Error('the plane did not say where it listens');
    return { url: ready.url, issuer: ready.issuer, pid: running.pid, logFile, process: running };
  } catch (error) {
    if (mayDie && error instanceof ProcessError && error.message.includes('signal SIGKILL')) return null;
    throw error;
  }
}

async function readyLine(logFile: string) {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const line = text.split('\n').find((one) => one.startsWith('{"event":"ready"') && one.endsWith('}'));
  if (line === undefined) return null;
  const parsed: unknown = JSON.parse(line);
  return Value.Check(Ready, parsed) ? parsed : null;
}

/** A killed plane's embedded stores end with it; PostgreSQL takes a moment. */
export async function storesEnded(stateDir: string): Promise<void> {
  const file = join(stateDir, 'postgres', 'data', 'postmaster.pid');
  for (let tries = 0; tries < 500; tries += 1) {
    const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0] ?? '');
    if (pid === 0 || !(await isThere(pid))) return;
    await sleep(20);
  }
  throw new Error('the PostgreSQL of a killed plane goes on');
}

async function isThere(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return status !== null && !/\) Z /.test(status);
}
