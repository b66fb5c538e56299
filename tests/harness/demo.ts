import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { inheritedEnvironment } from '#deploy/demo/plane-process.ts';
import type { Children } from '#deploy/local/children.ts';
import { startProcess } from '#deploy/local/process.ts';

const Handed = Type.Object({ user: Type.String(), kubeconfig: Type.String(), expiresAt: Type.String() });

/** The line `{"event":"ready",…}` of `npm run demo -- --json`: what a script needs to go on by itself. */
export const DemoReady = Type.Object({
  event: Type.Literal('ready'),
  plane: Type.Object({ url: Type.String(), caFile: Type.String(), logFile: Type.String(), pid: Type.Integer() }),
  platformAdmin: Handed,
  users: Type.Array(Type.Intersect([Handed, Type.Object({ tenant: Type.String(), namespace: Type.String() })]), { minItems: 2 }),
  workloadClusters: Type.Array(
    Type.Object({
      name: Type.String(),
      server: Type.String(),
      kubeconfig: Type.String(),
      auditLog: Type.String(),
      bootstrapAccount: Type.String(),
    }),
    { minItems: 2 },
  ),
  git: Type.Object({ url: Type.String(), repository: Type.String(), workingCopy: Type.String(), branch: Type.String() }),
  oidc: Type.Object({ issuer: Type.String(), users: Type.Array(Type.Object({ id: Type.String(), groups: Type.Array(Type.String()) })) }),
  kubectl: Type.String(),
});

const READY_MS = 240_000;
const PROGRAM = fileURLToPath(new URL('../../deploy/demo/main.ts', import.meta.url));

/** The demo as somebody would start it, in a process of its own that ends with the run. */
export async function startDemo(children: Children, dir: string): Promise<Static<typeof DemoReady>> {
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const logFile = join(dir, 'demo.log');
  await startProcess(children, {
    name: 'demo',
    command: process.execPath,
    args: [PROGRAM, '--json', '--dir', dir],
    cwd: dir,
    env: inheritedEnvironment(),
    logFile,
    // Its own parts end when it is told to end; killed, it could not tell them.
    lastSignal: 'SIGTERM',
    ready: async () => (await readyLine(logFile)) !== null,
    readyTimeoutMs: READY_MS,
  });
  const ready = await readyLine(logFile);
  if (ready === null) throw new Error('the demo did not say that it is ready');
  return ready;
}

async function readyLine(logFile: string): Promise<Static<typeof DemoReady> | null> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  const line = text.split('\n').find((one) => one.startsWith('{"event":"ready"'));
  if (line === undefined || !line.endsWith('}')) return null;
  const parsed: unknown = JSON.parse(line);
  return Value.Check(DemoReady, parsed) ? parsed : null;
}
