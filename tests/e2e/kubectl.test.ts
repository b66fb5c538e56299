import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SharedDemo, sharedDemo } from '#tests/harness/parts.ts';

const run = promisify(execFile);
let demo: SharedDemo;
let dir: string;

beforeAll(async () => {
  demo = await sharedDemo();
  dir = await mkdtemp(join(tmpdir(), 'weir-kubectl-'));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

function base(): readonly string[] {
  return ['--kubeconfig', demo.users[0]?.kubeconfig ?? '', '--cache-dir', join(dir, 'cache')];
}

/** The pinned kubectl as the user of team-a, from a directory that has nothing to do with the plane. */
async function kubectl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run(demo.kubectl, [...base(), ...args], { cwd: dir, env: { HOME: dir, PATH: '/usr/bin:/bin' } });
  return stdout;
}

async function waitReady(name: string): Promise<void> {
  await kubectl('wait', `kustomization/${name}`, '--for=condition=Ready', '--timeout=60s');
}

function definition(name: string, prune: boolean): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
spec:
  interval: 10m
  path: ./deploy/overlays/staging
  prune: ${prune}
  nameSuffix: -${name}
  targetNamespace: apps-a
  sourceRef:
    kind: GitRepository
    name: podinfo
---
apiVersion: weir.dev/v1
kind: Placement
metadata:
  name: ${name}
spec:
  definitions:
    kinds: [Kustomization]
    names: [${name}]
  clusters:
    names: [south]
`;
}

test('get kustomizations -A prints the columns of Flux, and only the own namespaces', async () => {
  const table = await kubectl('get', 'kustomizations', '-A');
  expect(table.split('\n')[0]).toMatch(/^NAMESPACE\s+NAME\s+AGE\s+READY\s+STATUS/);
  expect(table).toMatch(/team-a\s+podinfo\s+\S+\s+True\s+Applied revision: main@sha1:[0-9a-f]{40} \(2 clusters\)/);
  expect(table).not.toContain('team-b');
});

test('get gitrepository NAME -o yaml shows spec, status and artifact', async () => {
  const yaml = await kubectl('get', 'gitrepository', 'podinfo', '-o', 'yaml');
  expect(yaml).toContain('kind: GitRepository');
  expect(yaml).toMatch(/revision: main@sha1:[0-9a-f]{40}/);
  expect(yaml).toMatch(/digest: sha256:[0-9a-f]{64}/);
});

test('apply, apply unchanged, apply changed, watch it, and delete: objects come to the cluster and go', async () => {
  const file = join(dir, 'extra.yaml');
  await writeFile(file, definition('extra', true));
  expect(await kubectl('apply', '-f', file)).toMatch(/extra created[\s\S]*extra created/);
  await waitReady('extra');
  expect(await kubectl('apply', '-f', file)).toMatch(/extra unchanged[\s\S]*extra unchanged/);
  const watch = spawn(demo.kubectl, [...base(), 'get', 'ks', 'extra', '-w'], {
    cwd: dir,
    env: { HOME: dir },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const seen = { text: '' };
  watch.stdout.on('data', (chunk: Buffer) => {
    seen.text += chunk.toString('utf8');
  });
  await expect.poll(() => seen.text, { timeout: 10_000 }).toContain('Applied revision');
  await writeFile(file, definition('extra', true).replace('interval: 10m', 'interval: 11m'));
  expect(await kubectl('apply', '-f', file)).toMatch(/extra configured[\s\S]*extra unchanged/);
  await waitReady('extra');
  const lines = seen.text.split('\n').length;
  await expect.poll(() => seen.text.split('\n').length, { timeout: 10_000 }).toBeGreaterThanOrEqual(lines);
  const south = demo.workloadClusters.find((one) => one.name === 'south')?.kubeconfig ?? '';
  const onSouth = async () =>
    (
      await run(demo.kubectl, ['--kubeconfig', south, '--cache-dir', join(dir, 'south'), '-n', 'apps-a', 'get', 'deploy', '-o', 'name'], {
        env: { HOME: dir },
      })
    ).stdout;
  expect(await onSouth()).toContain('deployment.apps/podinfo-extra');
  expect(await kubectl('delete', '-f', file, '--wait=true', '--timeout=60s')).toContain('deleted');
  await expect.poll(onSouth, { timeout: 20_000 }).not.toContain('podinfo-extra');
  watch.kill('SIGTERM');
  await once(watch, 'exit');
}, 120_000);
