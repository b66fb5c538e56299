import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import type { ApiServer } from '#tests/contract/api-server.ts';

export type Run = Readonly<{ code: number; stdout: string; stderr: string }>;
export type Kubectl = Readonly<{
  run(args: readonly string[], options?: Readonly<{ as?: string; input?: string; timeoutMs?: number }>): Promise<Run>;
  file(name: string, content: string): Promise<string>;
}>;

/** The pinned kubectl, unmodified, with a kubeconfig of its own per person. Call at the top of a file, after `useApi`. */
export function useKubectl(api: ApiServer, namespace: string): Kubectl {
  const state = { dir: '', program: '' };
  beforeAll(async () => {
    state.dir = await mkdtemp(join(tmpdir(), 'weir-kubectl-'));
    const tools = await loadToolPaths({ only: ['kubectl'] });
    state.program = tools.kubectl;
  });
  afterAll(() => rm(state.dir, { recursive: true, force: true }));
  async function file(name: string, content: string): Promise<string> {
    const path = join(state.dir, name);
    await writeFile(path, content);
    return path;
  }
  return {
    file,
    async run(args, { as = 'jane', input = '', timeoutMs = 30_000 } = {}) {
      const config = await file(`config-${as}`, JSON.stringify(kubeconfig(api, as, namespace)));
      return execute(state.program, ['--kubeconfig', config, '--cache-dir', join(state.dir, 'cache', as), ...args], input, timeoutMs);
    },
  };
}

function kubeconfig(api: ApiServer, as: string, namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'weir', cluster: { server: api.url, 'certificate-authority-data': Buffer.from(api.caPem).toString('base64') } }],
    users: [{ name: as, user: { token: as } }],
    contexts: [{ name: 'weir', context: { cluster: 'weir', user: as, namespace } }],
    'current-context': 'weir',
  };
}

function execute(program: string, args: readonly string[], input: string, timeoutMs: number): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      { timeout: timeoutMs, maxBuffer: 8_388_608, env: { HOME: homedir(), PATH: '/usr/bin:/bin' } },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number' && error.killed !== true) reject(error);
        else resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}
