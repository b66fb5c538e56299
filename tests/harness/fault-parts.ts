import { get } from 'node:http';
import { get as getTls } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEMO_EGRESS, inheritedEnvironment } from '#deploy/demo/plane-process.ts';
import type { LocalAuthority } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { type OidcServer, startOidcServer } from '#deploy/local/oidc.ts';
import { freePort } from '#deploy/local/ports.ts';
import { ProcessError, type RunningProcess, startProcess } from '#deploy/local/process.ts';
import { DEMO_ADMIN_GROUP, demoUsers } from '#deploy/plane/identity.ts';
import { type FaultPlane, LEASE_MS } from '#tests/harness/fault-plane.ts';

export type PartName = 'api' | 'scheduler' | 'worker-source' | 'worker-kustomize' | 'worker-fleet' | 'worker-notification';

/** A plane as many processes. Names may carry a suffix to run several of one part: `scheduler/2`. */
export type FaultParts = Readonly<{
  /** Starts one. False when a failpoint killed it before it was ready. */
  start(name: PartName | `${PartName}/${number}`, env?: Readonly<Record<string, string>>): Promise<boolean>;
  /** Waits for one that a failpoint kills. Returns when that was. */
  died(name: string): Promise<number>;
  kill(name: string): Promise<void>;
  /** Status of a path of the health port of a scheduler or worker. */
  health(name: string, path: '/healthz' | '/readyz'): Promise<number>;
  isRunning(name: string): boolean;
  logFile(name: string): string;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}>;

type Options = Readonly<{
  dir: string;
  stateDir: string;
  port: number;
  authority: LocalAuthority;
  kustomize: string;
  stores: Readonly<Record<string, string>>;
}>;
type Part = Readonly<{ process: RunningProcess; healthPort: number; logFile: string }>;

const PROGRAMS: Readonly<Record<PartName, string>> = {
  api: '../../services/api/main.ts',
  scheduler: '../../services/scheduler/main.ts',
  'worker-source': '../../workers/source/main.ts',
  'worker-kustomize': '../../workers/kustomize/main.ts',
  'worker-fleet': '../../workers/fleet/main.ts',
  'worker-notification': '../../workers/notification/main.ts',
};
const READY_MS = 60_000;
const PASSWORDS = { WEIR_DATABASE_APP_PASSWORD: 'fault-app-password-1', WEIR_DATABASE_SCHEDULER_PASSWORD: 'fault-scheduler-password-1' };

/** Nothing runs yet. The identity provider is this test's own: it outlives every part. */
export async function openFaultParts(children: Children, options: Options): Promise<FaultParts & Readonly<{ plane(): FaultPlane }>> {
  const { authority, port } = options;
  const oidc = await startOidcServer({ authority, users: demoUsers });
  const parts = new Map<string, Part>();
  const counter = { starts: 0 };
  const partOf = (name: string): Part => {
    const part = parts.get(name);
    if (part === undefined) throw new Error(`${name} was never started`);
    return part;
  };
  const start = async (name: string, env: Readonly<Record<string, string>> = {}): Promise<boolean> => {
    counter.starts += 1;
    const program = fileURLToPath(new URL(PROGRAMS[name.split('/')[0] as PartName], import.meta.url));
    const logFile = join(options.dir, `part-${counter.starts}-${name.replace('/', '-')}.log`);
    const healthPort = await freePort();
    const isApi = name.startsWith('api');
    try {
      const process_ = await startProcess(children, {
        name,
        command: process.execPath,
        args: [program],
        cwd: options.stateDir,
        lastSignal: 'SIGKILL',
        env: { ...environment(options, oidc), WEIR_HEALTH_PORT: String(isApi ? 0 : healthPort), ...env },
        logFile,
        ready: async () => (isApi ? await answersTls(port, authority.certificatePem) : (await statusOf(healthPort, '/readyz')) === 200),
        readyTimeoutMs: READY_MS,
      });
      parts.set(name, { process: process_, healthPort, logFile });
      return true;
    } catch (error) {
      if (env['WEIR_FAILPOINT'] !== undefined && error instanceof ProcessError && error.message.includes('SIGKILL')) return false;
      throw error;
    }
  };
  return Object.freeze({
    start,
    died: async (name: string) => {
      await partOf(name).process.exited;
      return Date.now();
    },
    kill: async (name: string) => void (await partOf(name).process.stop('SIGKILL')),
    health: async (name: string, path: '/healthz' | '/readyz') => statusOf(partOf(name).healthPort, path),
    isRunning: (name: string) => parts.get(name)?.process.isRunning() ?? false,
    logFile: (name: string) => partOf(name).logFile,
    plane: () => {
      const { process: running, logFile } = partOf('api');
      return { url: `https://127.0.0.1:${port}`, issuer: oidc.issuer, pid: running.pid, logFile, process: running };
    },
    stop: async (signal: 'SIGTERM' | 'SIGKILL') => {
      // The API last: the others may still be asked about by a test's last look.
      await Promise.all([...parts.values()].map((one) => one.process.stop(signal, 20_000)));
      await oidc.stop();
    },
  });
}

function environment(options: Options, oidc: OidcServer): Readonly<Record<string, string>> {
  return {
    ...inheritedEnvironment(),
    ...options.stores,
    ...PASSWORDS,
    WEIR_STATE_DIR: options.stateDir,
    WEIR_PORT: String(options.port),
    WEIR_PUBLIC_URL: `https://127.0.0.1:${options.port}`,
    WEIR_OIDC_ISSUER: oidc.issuer,
    WEIR_OIDC_CA_FILE: options.authority.certificateFile,
    WEIR_PLATFORM_ADMIN_GROUP: DEMO_ADMIN_GROUP,
    WEIR_EGRESS_ALLOW: DEMO_EGRESS,
    WEIR_KUSTOMIZE: options.kustomize,
    WEIR_LOG_LEVEL: 'info',
    WEIR_TEST: '1',
    WEIR_LEASE_MS: String(LEASE_MS),
  };
}

/** 0 while nobody listens. */
function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = get({ host: '127.0.0.1', port, path, timeout: 5_000 }, (incoming) => {
      incoming.resume();
      incoming.once('end', () => resolve(incoming.statusCode ?? 0));
    });
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => resolve(0));
  });
}

function answersTls(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const outgoing = getTls({ host: '127.0.0.1', port, path: '/readyz', ca, agent: false, timeout: 5_000 }, (incoming) => {
      incoming.resume();
      incoming.once('end', () => resolve(incoming.statusCode === 200));
    });
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => resolve(false));
  });
}
