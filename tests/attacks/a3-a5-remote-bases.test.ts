import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTree } from '#adapters/kustomize/artifact-tree.ts';
import { runKustomize } from '#adapters/kustomize/build.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import type { Workshop } from '#tests/render/workshop.ts';
import { configMap, kustomization, never, openWorkshop, refusalOf } from '#tests/render/workshop.ts';
import { fieldCases, foldersOf } from './kustomization-fields.ts';

let shop: Workshop;
let listener: Server;
let port = 0;
let contacts = 0;
let argvLog: string;
const pathBefore = process.env['PATH'];

beforeAll(async () => {
  shop = await openWorkshop();
  listener = createServer((_request, response) => {
    contacts += 1;
    response.end(configMap('fetched'));
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  // A git and a helm that write down how they were called, first on PATH.
  const bin = join(shop.root, 'bin');
  argvLog = join(shop.root, 'argv.log');
  await mkdir(bin);
  for (const name of ['git', 'helm', 'ssh', 'curl']) {
    await writeFile(join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${argvLog}\nexit 1\n`);
    await chmod(join(bin, name), 0o755);
  }
  process.env['PATH'] = `${bin}:${pathBefore}`;
});
afterAll(async () => {
  process.env['PATH'] = pathBefore;
  listener.close();
  await shop.close();
});

const remotes = (): readonly string[] => [
  `http://127.0.0.1:${port}/base.yaml`,
  `https://127.0.0.1:${port}/org/repo//base?ref=main`,
  `http://127.0.0.1:${port}/org/repo.git?ref=--upload-pack=touch%20/tmp/pwned`,
  `https://github.com/org/repo//base?ref=--upload-pack=evil`,
  'github.com/org/repo/base?ref=v1',
  'git@github.com:org/repo.git',
  'git::https://example.com/org/repo',
  'ssh://git@127.0.0.1/org/repo',
  'file:///etc',
  'example.com/org/repo',
  'gh:org/repo',
  '127.0.0.1:8080/org/repo.git',
  'org/repo.git//base',
  'base?ref=main',
  '_git/repo?version=1',
];

async function untouched(): Promise<void> {
  expect(contacts).toBe(0);
  expect(await readFile(argvLog, 'utf8').catch(() => '')).toBe('');
}

describe.each(fieldCases)('A3, A5: $field', (one) => {
  test('every remote form is refused before anything runs, and nobody is contacted', async () => {
    const runs = shop.runs();
    const artifact = await shop.publish(foldersOf(one, remotes()));
    for (const [index, reference] of remotes().entries()) {
      const refusal = await refusalOf(shop.render(artifact, { path: `r${index}` }));
      expect([reference, refusal.code]).toEqual([reference, 'buildFailed']);
      expect(refusal.message).toMatch(/remote reference/);
      expect(refusal.message).not.toContain('127.0.0.1');
    }
    expect(shop.runs()).toBe(runs);
    await untouched();
  });
});

test('A5: a remote component in the definition is refused', async () => {
  for (const reference of remotes())
    expect((await refusalOf(shop.render({ 'cm.yaml': configMap('a') }, { build: { components: [reference] } }))).code).toBe('buildFailed');
  await untouched();
});

test('A5: a field that nobody knows is refused by name, whatever its case; so are unknown keys beside known paths', async () => {
  const own = { 'own.yaml': configMap('own') };
  for (const [fields, named] of [
    [{ remoteBases: ['x'] }, 'remoteBases'],
    [{ Resources: ['https://x.y/z'] }, 'Resources'],
    [{ HelmCharts: [] }, 'HelmCharts'],
    [{ patches: [{ Path: '../x' }] }, 'patches[0].Path'],
    [{ configMapGenerator: [{ name: 'g', Files: ['../x'] }] }, 'configMapGenerator[0].Files'],
    [{ openapi: { url: 'http://x.y' } }, 'openapi.url'],
  ] as const) {
    const refusal = await refusalOf(shop.render({ ...own, 'kustomization.yaml': kustomization({ resources: ['own.yaml'], ...fields }) }));
    expect(refusal.message).toContain(`unknown field ${named}`);
  }
});

test('A5, twin: local folders whose names look odd are built', async () => {
  for (const folder of ['v1.2/base', 'conf.d/base', 'a@b', 'x.y.z']) {
    const files = {
      [`${folder}/cm.yaml`]: configMap('a'),
      [`${folder}/kustomization.yaml`]: kustomization({ resources: ['cm.yaml'] }),
      'top/kustomization.yaml': kustomization({ resources: [`../${folder}`] }),
    };
    expect((await shop.render(files, { path: 'top' })).objects).toHaveLength(1);
  }
});

test('A3: without the pre-scan the sandbox alone still reaches no git, no helm and no network', async () => {
  const { kustomize } = await loadToolPaths({ only: ['kustomize'] });
  for (const reference of remotes().slice(0, 8)) {
    const closure = {
      root: '',
      empty: false,
      files: new Map(),
      kustomizations: new Map([['kustomization.yaml', kustomization({ resources: [reference] })]]),
    };
    const input = { sandbox: shop.sandbox, kustomize, workDir: shop.root, tree: openTree(shop.root, new Map()), closure, timeoutMs: 5_000 };
    expect((await refusalOf(runKustomize(input, never))).code).toBe('buildFailed');
  }
  await untouched();
});
