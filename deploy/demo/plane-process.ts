import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import Type from 'typebox';
import Value from 'typebox/value';
import type { Children } from '#deploy/local/children.ts';
import { startProcess } from '#deploy/local/process.ts';

/** The plane in a process of its own, exactly as `npm start` runs it. */
export type RunningPlane = Readonly<{ url: string; caFile: string; issuer: string; pid: number; logFile: string; stop(): Promise<void> }>;

const Ready = Type.Object({ event: Type.Literal('ready'), url: Type.String(), caFile: Type.String(), issuer: Type.String() });

const READY_MS = 120_000;
/** Every part of the demo is on this machine: the plane may reach its loopback addresses, and no other private ones. */
export const DEMO_EGRESS = '127.0.0.0/8';

export async function startPlane(
  children: Children,
  options: Readonly<{ stateDir: string; logFile: string; env?: Readonly<Record<string, string>> }>,
): Promise<RunningPlane> {
  const { stateDir, logFile } = options;
  const program = fileURLToPath(new URL('../start.ts', import.meta.url));
  const running = await startProcess(children, {
    name: 'plane',
    command: process.execPath,
    args: [program, '--json'],
    cwd: stateDir,
    // A hurried end must not leave the plane's own children behind: it ends them on SIGTERM.
    lastSignal: 'SIGTERM',
    env: {
      ...inheritedEnvironment(),
      WEIR_STATE_DIR: stateDir,
      WEIR_PORT: '0',
      WEIR_EGRESS_ALLOW: DEMO_EGRESS,
      WEIR_LOG_LEVEL: 'info',
      ...options.env,
    },
    logFile,
    ready: async () => (await readyLine(logFile)) !== null,
    readyTimeoutMs: READY_MS,
  });
  const ready = await readyLine(logFile);
  if (ready === null) throw new Error('the plane did not say where it listens');
  return Object.freeze({
    url: ready.url,
    caFile: ready.caFile,
    issuer: ready.issuer,
    pid: running.pid,
    logFile,
    stop: async () => void (await running.stop('SIGTERM', 20_000)),
  });
}

async function readyLine(logFile: string) {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const line = text.split('\n').find((one) => one.startsWith('{"event":"ready"') && one.endsWith('}'));
  if (line === undefined) return null;
  const parsed: unknown = JSON.parse(line);
  return Value.Check(Ready, parsed) ? parsed : null;
}

/** What Node, Go and the tools need of our own environment; no other WEIR_ variable leaks in. */
export function inheritedEnvironment(): Record<string, string> {
  const names = [
    'PATH',
    'HOME',
    'LANG',
    'TMPDIR',
    'XDG_CACHE_HOME',
    'GOPATH',
    'GOMODCACHE',
    'GOCACHE',
    'GOFLAGS',
    'GOPROXY',
    'WEIR_TOOLS_MIRROR',
    'WEIR_SANDBOX',
    'NODE_COMPILE_CACHE',
  ];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] ?? '']])));
}
