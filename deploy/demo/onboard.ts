import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RunningCluster } from '#deploy/local/cluster.ts';
import type { TenantPlan } from './definitions.ts';

/** How the operator of a cluster runs our own command, with the kubeconfig that only they have. */
export async function onboardCluster(
  cluster: RunningCluster,
  planeKubeconfig: string,
  tenants: readonly TenantPlan[],
  stateDir: string,
): Promise<string> {
  const list = tenants.map((one) => `${one.name}=${one.clusterNamespace}`).join(',');
  const args = [
    'cluster',
    'onboard',
    '--kubeconfig',
    cluster.adminKubeconfigPath,
    '--name',
    cluster.name,
    '--labels',
    `env=demo,region=${cluster.name}`,
    '--tenants',
    list,
    '--yes',
    '--plane-kubeconfig',
    planeKubeconfig,
  ];
  return runWeir(args, stateDir);
}

const LAUNCHER = fileURLToPath(new URL('../../bin/weir.js', import.meta.url));
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 1_000_000;

/** The real `weir` command in a process of its own. Throws with its last words unless it exits with 0. */
export async function runWeir(args: readonly string[], stateDir: string): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: stateDir, XDG_CONFIG_HOME: stateDir, XDG_STATE_HOME: stateDir, NO_COLOR: '1' };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [LAUNCHER, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const output = { out: '', all: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.out = (output.out + chunk.toString('utf8')).slice(-MAX_OUTPUT);
      output.all = (output.all + chunk.toString('utf8')).slice(-4_000);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.all = (output.all + chunk.toString('utf8')).slice(-4_000);
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(output.out) : reject(new Error(`weir ${args.slice(0, 2).join(' ')} ended with ${code}: ${output.all.trim()}`)),
    );
  });
}
