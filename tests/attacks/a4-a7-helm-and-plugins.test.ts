import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Files, Workshop } from '#tests/render/workshop.ts';
import { configMap, kustomization, openWorkshop, refusalOf } from '#tests/render/workshop.ts';

let shop: Workshop;
let wire: string;
const pathBefore = process.env['PATH'];

beforeAll(async () => {
  shop = await openWorkshop();
  wire = join(shop.root, 'tripped');
  const bin = join(shop.root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'helm'), `#!/bin/sh\necho helm >> ${wire}\n`);
  await chmod(join(bin, 'helm'), 0o755);
  process.env['PATH'] = `${bin}:${pathBefore}`;
});
afterAll(async () => {
  process.env['PATH'] = pathBefore;
  await shop.close();
});

/** A repository with a helm plugin folder and a script that trips a wire when anything runs it. */
function hostile(fields: Readonly<Record<string, unknown>>): Files {
  return {
    'own.yaml': configMap('own'),
    'trap.sh': `#!/bin/sh\necho trap >> ${wire}\n`,
    'helm/plugins/trap/plugin.yaml': 'name: trap\nversion: 1.0.0\ncommand: $HELM_PLUGIN_DIR/../../../trap.sh\n',
    'chart/Chart.yaml': 'apiVersion: v2\nname: chart\nversion: 1.0.0\n',
    'function.yaml': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Trap',
      metadata: { name: 't', annotations: { 'config.kubernetes.io/function': 'exec: {path: ./trap.sh}' } },
    }),
    'container.yaml': JSON.stringify({
      apiVersion: 'v1',
      kind: 'Trap',
      metadata: { name: 't', annotations: { 'config.k8s.io/function': 'container: {image: trap, network: true}' } },
    }),
    'disguised.yaml': JSON.stringify({
      apiVersion: 'builtin',
      kind: 'LabelTransformer',
      metadata: { name: 't', annotations: { 'config.kubernetes.io/function': 'starlark: {path: trap.star}' } },
    }),
    'alpha.yaml': JSON.stringify({ apiVersion: 'someteam.example.com/v1', kind: 'Trap', metadata: { name: 't' } }),
    'inflator.yaml': JSON.stringify({ apiVersion: 'builtin', kind: 'HelmChartInflationGenerator', metadata: { name: 't' }, name: 'chart' }),
    'good.yaml': JSON.stringify({
      apiVersion: 'builtin',
      kind: 'LabelTransformer',
      metadata: { name: 't' },
      labels: { ok: 'yes' },
      fieldSpecs: [{ path: 'metadata/labels', create: true }],
    }),
    'kustomization.yaml': kustomization({ resources: ['own.yaml'], ...fields }),
  };
}

test.each([
  [{ helmCharts: [{ name: 'chart', repo: 'https://example.com' }] }, 'helmCharts'],
  [{ helmGlobals: { chartHome: './', configHome: './helm' } }, 'helmGlobals'],
  [{ helmChartInflationGenerator: [{ chartName: 'chart', helmHome: './helm' }] }, 'helmChartInflationGenerator'],
  [{ generators: ['inflator.yaml'] }, 'HelmChartInflationGenerator'],
])('A4: %j is refused', async (fields, named) => {
  const refusal = await refusalOf(shop.render(hostile(fields)));
  expect(refusal).toMatchObject({ code: 'buildFailed', message: expect.stringContaining(named) });
  expect(refusal.message).toContain('HelmRelease');
});

test.each(['generators', 'transformers', 'validators'])(
  'A7: functions, disguised ones and alpha plugins in %s are refused with the reason',
  async (field) => {
    for (const file of ['function.yaml', 'container.yaml', 'disguised.yaml'])
      expect((await refusalOf(shop.render(hostile({ [field]: [file] })))).message).toMatch(/functions and plugins are not run/);
    expect((await refusalOf(shop.render(hostile({ [field]: ['alpha.yaml'] })))).message).toMatch(/plugin "Trap"/);
    const inline = hostile({})['function.yaml'] ?? '';
    expect((await refusalOf(shop.render(hostile({ [field]: [inline] })))).message).toMatch(/functions and plugins are not run/);
  },
);

test('A4, A7, twin: a builtin transformer is run', async () => {
  const { objects } = await shop.render(hostile({ transformers: ['good.yaml'] }));
  expect(objects[0]?.['metadata']).toEqual({ name: 'own', labels: { ok: 'yes' } });
});

test('A9: other template languages are files like any other, never evaluated', async () => {
  const files = {
    'own.yaml': configMap('own'),
    'a.jsonnet': 'importstr "/etc/passwd"',
    'b.cue': 'import "tool/exec"',
    'c.tpl': '{{ readFile "/etc/passwd" }}',
  };
  expect((await shop.render(files)).objects).toHaveLength(1);
  for (const name of ['a.jsonnet', 'b.cue'])
    expect((await refusalOf(shop.render({ ...files, 'kustomization.yaml': kustomization({ resources: [name] }) }))).code).toBe(
      'buildFailed',
    );
});

test('nothing ran that should not', async () => {
  expect(await readFile(wire, 'utf8').catch(() => '')).toBe('');
});
