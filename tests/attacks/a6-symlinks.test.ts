import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RenderEngine } from '#adapters/kustomize/render.ts';
import { createRenderEngine } from '#adapters/kustomize/render.ts';
import type { ArtifactReader } from '#adapters/kustomize/trees.ts';
import { createSandbox } from '#adapters/sandbox/sandbox.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { configMap, kustomization, never, plainBuild, refusalOf, TENANT_A } from '#tests/render/workshop.ts';

const CANARY = 'canary-d02c';
let root: string;
let engine: RenderEngine;
let count = 0;

/** A store that hands out links, which the real one never does: the copy routine must not rely on it. */
const store: ArtifactReader & { make: (dir: string) => Promise<void> } = {
  make: async () => undefined,
  async unpackTo(_digest, directory) {
    await store.make(directory);
  },
  async index() {
    const text = configMap('canary', { canary: CANARY });
    const entry = { sha256: createHash('sha256').update(text).digest('hex'), sizeBytes: text.length };
    const own = kustomization({ resources: ['linked.yaml'] });
    return new Map([
      ['kustomization.yaml', { sha256: createHash('sha256').update(own).digest('hex'), sizeBytes: own.length }],
      ['linked.yaml', entry],
      ['folder/linked.yaml', entry],
    ]);
  },
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-links-'));
  await mkdir(join(root, 'outside'));
  await writeFile(join(root, 'outside', 'linked.yaml'), configMap('canary', { canary: CANARY }));
  const tools = await loadToolPaths({ only: ['kustomize', 'bwrap'] });
  const sandbox = await createSandbox({ mode: 'auto', bwrap: tools.bwrap, workDir: join(root, 'sandbox'), signal: never });
  engine = await createRenderEngine({
    artifacts: store,
    sandbox,
    kustomize: tools.kustomize,
    workDir: join(root, 'work'),
    cacheDir: join(root, 'cache'),
    clock: systemClock,
  });
});
afterAll(() => rm(root, { recursive: true, force: true }));

function renderWith(make: (dir: string) => Promise<void>, resource = 'linked.yaml'): Promise<unknown> {
  count += 1;
  const own = kustomization({ resources: ['linked.yaml'] });
  store.make = async (dir) => {
    await writeFile(join(dir, 'kustomization.yaml'), own);
    await make(dir);
  };
  const artifactDigest = `sha256:${count.toString(16).padStart(64, '0')}`;
  const path = resource.includes('/') ? 'folder' : '.';
  // A tenant of its own each time: a cached build would not read the file at all.
  const tenantId = `${TENANT_A.slice(0, -4)}${(4096 + count).toString(16)}`;
  return engine
    .forTenant(scopeOfJob({ tenantId }, 'test'))
    .render({ artifactDigest, path, build: plainBuild, substitution: { variables: {}, always: false } }, { timeoutMs: 10_000 }, never);
}

test('A6, twin: a regular file is built', async () => {
  const rendered = await renderWith((dir) => writeFile(join(dir, 'linked.yaml'), configMap('canary', { canary: CANARY })));
  expect(rendered).toMatchObject({ objects: [{ kind: 'ConfigMap' }] });
});

test.each<[string, (dir: string) => Promise<void>]>([
  ['a link to a file outside', (dir) => symlink(join(root, 'outside', 'linked.yaml'), join(dir, 'linked.yaml'))],
  ['a relative link that climbs', (dir) => symlink('../../../outside/linked.yaml', join(dir, 'linked.yaml'))],
  ['a process pseudo-file', (dir) => symlink('/proc/self/environ', join(dir, 'linked.yaml'))],
  [
    'a link inside the root',
    async (dir) => {
      await writeFile(join(dir, 'real.yaml'), configMap('canary', { canary: CANARY }));
      await symlink('real.yaml', join(dir, 'linked.yaml'));
    },
  ],
  [
    'a chain',
    async (dir) => {
      await symlink(join(root, 'outside', 'linked.yaml'), join(dir, 'second'));
      await symlink('second', join(dir, 'linked.yaml'));
    },
  ],
])('A6: %s is refused', async (_title, make) => {
  const refusal = await refusalOf(renderWith(make));
  expect(refusal).toMatchObject({ code: 'buildFailed', message: expect.stringContaining('symbolic link') });
  expect(refusal.message).not.toContain(CANARY);
});

test('A6: a folder that is a link is refused', async () => {
  const refusal = await refusalOf(renderWith((dir) => symlink(join(root, 'outside'), join(dir, 'folder')), 'folder/linked.yaml'));
  expect(refusal.message).toContain('symbolic link');
});

test('A6: a loop is refused', async () => {
  await expect(renderWith((dir) => symlink('linked.yaml', join(dir, 'linked.yaml')))).rejects.toThrow('symbolic link');
});
