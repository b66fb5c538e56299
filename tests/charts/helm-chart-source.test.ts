import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conditionOf } from '#core/conditions.ts';
import { at, type JsonObject, textAt } from '#core/json.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import type { StoredObject } from '#core/store.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { chartYaml, type HelmTool, mapTemplate, openHelmTool, writeTree } from './helm-tool.ts';
import { type ChartParts, type Files, filesOf, type Given, never, openChartParts, type Pass, runPass, storedSource } from './passes.ts';

const folder = useTemporaryDir('file');
const kind = runnable(helmChartKind);
const REVISION = 'main@sha1:4e5cbb7b97d00a8039b8810b90b922f4256fd3bd';
let parts: ChartParts;
let helm: HelmTool;

beforeAll(async () => {
  helm = await openHelmTool(join(folder(), 'home'));
  parts = openChartParts(folder());
});
afterAll(() => parts.close());

const app: Files = {
  'charts/app/Chart.yaml': chartYaml('app', '1.2.3'),
  'charts/app/values.yaml': 'colour: red\n',
  'charts/app/templates/map.yaml': mapTemplate,
  'values-prod.yaml': 'colour: blue\n',
};
const git = (files: Files, revision = REVISION): Promise<StoredObject> =>
  storedSource(parts, { kind: 'GitRepository', name: 'git', revision }, files);
const build = (source: StoredObject, over: JsonObject = {}, given: Partial<Given> = {}): Promise<Pass> => {
  const spec = { chart: './charts/app', interval: '1m', sourceRef: { kind: source.kind, name: source.name }, ...over };
  return runPass(parts, kind, { spec, objects: [source], ...given });
};
const digestOf = ({ status }: Pass): string => textAt(status, 'artifact', 'digest') ?? '';
const template = async (pass: Pass, ...args: readonly string[]): Promise<string> =>
  helm('template', 'release', (await parts.store.open(digestOf(pass), never)).path, ...args);
const namesIn = async (pass: Pass): Promise<readonly string[]> => [...(await filesOf(parts, digestOf(pass))).keys()];

test('a chart in a folder of a GitRepository is packed; the next look reads nothing', async () => {
  const source = await git(app);
  const first = await build(source);
  expect(first.judged).toMatchObject({
    is: 'ready',
    reason: 'ChartPackageSucceeded',
    message: "packaged 'app' chart with version '1.2.3'",
    revision: '1.2.3',
  });
  expect(first.status).toMatchObject({ observedChartName: 'app', observedSourceArtifactRevision: REVISION });
  expect(await template(first)).toContain('colour: "red"');
  expect(await namesIn(first)).toEqual(['chart/Chart.yaml', 'chart/templates/map.yaml', 'chart/values.yaml']);
  const again = await build(source, {}, { status: first.status });
  expect(again.acts).toEqual([]);
  expect(again.status).toEqual(first.status);
});

test('a Bucket serves as well, and a chart at the root of the source', async () => {
  const files = Object.fromEntries(Object.entries(app).map(([path, text]) => [path.replace('charts/app/', ''), text]));
  const source = await storedSource(parts, { kind: 'Bucket', name: 'bucket', revision: `sha256:${'ab'.repeat(32)}` }, files);
  for (const chart of ['.', './', '/']) expect((await build(source, { chart })).judged).toMatchObject({ is: 'ready', revision: '1.2.3' });
  expect((await build(source, { chart: '.', reconcileStrategy: 'Revision' })).judged).toMatchObject({ revision: '1.2.3+abababababab' });
});

test('strategy ChartVersion keeps the artifact until the version moves; Revision follows each revision', async () => {
  const first = await build(await git(app));
  const changed = await git({ ...app, 'charts/app/values.yaml': 'colour: green\n' }, 'main@sha1:ffffffffffffffffffffffffffffffffffffffff');
  const kept = await build(changed, {}, { status: first.status });
  expect(at(kept.status, 'artifact')).toEqual(at(first.status, 'artifact'));
  expect(kept.status['observedSourceArtifactRevision']).toBe('main@sha1:ffffffffffffffffffffffffffffffffffffffff');
  expect((await build(changed, {}, { status: kept.status })).acts).toEqual([]);
  const raised = await build(await git({ ...app, 'charts/app/Chart.yaml': chartYaml('app', '1.2.4') }), {}, { status: kept.status });
  expect(raised.judged).toMatchObject({ is: 'ready', revision: '1.2.4' });
  const byRevision = { reconcileStrategy: 'Revision' };
  const one = await build(await git(app), byRevision);
  expect(one.judged).toMatchObject({ is: 'ready', revision: '1.2.3+4e5cbb7b97d0' });
  const two = await build(changed, byRevision, { status: one.status });
  expect(two.judged).toMatchObject({ is: 'ready', revision: '1.2.3+ffffffffffff' });
  expect(await template(two)).toContain('colour: "green"');
  expect(digestOf(two)).not.toBe(digestOf(one));
});

test('values files are looked up in the whole source, and may be missing', async () => {
  const source = await git({ ...app, 'extra/more.yaml': 'list: [1]\ncolour: black\n' });
  const valuesFiles = ['charts/app/values.yaml', 'extra/more.yaml', './values-prod.yaml'];
  const merged = await build(source, { valuesFiles }, { generation: 3 });
  expect(merged.judged).toMatchObject({
    revision: '1.2.3+3',
    message:
      "packaged 'app' chart with version '1.2.3+3' and merged values files [charts/app/values.yaml extra/more.yaml ./values-prod.yaml]",
  });
  expect(await template(merged)).toContain('colour: "blue"');
  const none = await build(source, { valuesFiles: ['gone.yaml'], ignoreMissingValuesFiles: true });
  expect(none.judged).toMatchObject({ is: 'ready' });
  expect(await template(none)).toContain('data: {colour: }');
  for (const [name, text] of [
    ['list.yaml', '- a\n'],
    ['broken.yaml', 'a: [\n'],
    ['template.yaml', '{{ x }}'],
  ] as const) {
    const broken = await build(await git({ ...app, [name]: text }), { valuesFiles: [name] });
    expect(broken.judged).toMatchObject({ is: 'stalled', reason: 'ValuesFilesError' });
  }
});

test('big integers, dates and odd texts pass through merged values as Go reads them', async () => {
  const values = 'big: 12345678901234567890\nyes: on\nday: 2001-12-14\ntext: "1e3"\nnothing: ~\nquote: "a\\"b\\u2028c"\n';
  const source = await git({ ...app, 'v.yaml': values, 'charts/app/templates/all.yaml': 'all: {{ .Values | toJson }}\n' });
  const ours = await template(await build(source, { valuesFiles: ['v.yaml'] }), '--show-only', 'templates/all.yaml');
  const plain = join(folder(), 'plain');
  await writeTree(plain, {
    'Chart.yaml': chartYaml('app', '1.2.3'),
    'values.yaml': values,
    'templates/all.yaml': 'all: {{ .Values | toJson }}\n',
  });
  expect(ours).toBe(await helm('template', 'release', plain, '--show-only', 'templates/all.yaml'));
});

test('.helmignore, subcharts, CRDs, schema and files: helm renders the artifact as it renders the folder, byte by byte', async () => {
  const chart: Record<string, string> = {
    '.helmignore': '# comment\n*.bak\nsecret/\n/only-root.txt\n',
    'Chart.yaml': chartYaml('app', '1.2.3', 'dependencies:\n- {name: sub, version: 0.1.0, alias: other}\n- {name: packed, version: 2.x}\n'),
    'values.yaml': 'colour: red\nother: {shade: dark}\n',
    'values.schema.json': '{"type": "object", "required": ["colour"]}',
    'templates/_helpers.tpl': '{{- define "x" -}}\u00e9{{ "\\t" }}{{- end -}}\n',
    'templates/map.yaml': `${mapTemplate}# trailing blanks  \r\n{{ include "x" . | quote }}: 1\n---\n{{ .Files.Get "files/a.txt" | b64enc }}: {{ .Files.Glob "**" | len }}\n`,
    'templates/NOTES.txt': 'thanks\n',
    'templates/old.yaml.bak': 'broken: {{',
    'templates/.hidden.yaml': 'broken: {{',
    'files/a.txt': 'no newline at the end',
    'secret/canary.txt': 'canary',
    'only-root.txt': 'x',
    'deep/only-root.txt': 'y',
    'crds/thing.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.test}\n',
    'charts/sub/Chart.yaml': chartYaml('sub', '0.1.0'),
    'charts/sub/values.yaml': 'shade: light\n',
    'charts/sub/templates/map.yaml': 'shade: {{ .Values.shade }}\nchart: {{ .Chart.Name }}\n',
  };
  const plain = join(folder(), 'whole');
  const packed = join(folder(), 'packed');
  await writeTree(packed, { 'Chart.yaml': chartYaml('packed', '2.0.1'), 'templates/a.yaml': 'packed: {{ .Chart.Version }}\n' });
  await writeTree(plain, chart);
  await helm('package', packed, '--destination', join(plain, 'charts'));
  const tgz = await readFile(join(plain, 'charts', 'packed-2.0.1.tgz'));
  const inGit = Object.fromEntries(Object.entries(chart).map(([path, text]) => [`charts/app/${path}`, text]));
  const built = await build(await git({ ...inGit, 'charts/app/charts/packed-2.0.1.tgz': tgz }));
  expect(built.judged).toMatchObject({ is: 'ready' });
  const ours = await template(built, '--include-crds');
  expect(ours).toBe(await helm('template', 'release', plain, '--include-crds'));
  expect(ours).toContain('shade: dark');
  expect(ours).toContain('packed: 2.0.1');
  const names = await namesIn(built);
  expect(names).toContain('chart/deep/only-root.txt');
  expect(names.filter((name) => /bak|hidden|canary|chart\/only-root/.test(name))).toEqual([]);
  for (const [path, text] of Object.entries(chart)) {
    const stored = (await filesOf(parts, digestOf(built))).get(`chart/${path}`);
    if (stored !== undefined) expect(stored.toString('utf8')).toBe(text);
  }
});

test('a packed chart in the source is taken as it is', async () => {
  const chart = join(folder(), 'tgz');
  await writeTree(chart, { 'Chart.yaml': chartYaml('app', '3.0.0'), 'values.yaml': 'colour: red\n', 'templates/map.yaml': mapTemplate });
  await helm('package', chart, '--destination', folder());
  const source = await git({ 'dist/app.tgz': await readFile(join(folder(), 'app-3.0.0.tgz')), 'v.yaml': 'colour: blue\n' });
  expect(await template(await build(source, { chart: 'dist/app.tgz' }))).toContain('colour: "red"');
  const merged = await build(source, { chart: 'dist/app.tgz', valuesFiles: ['v.yaml'] });
  expect(merged.judged).toMatchObject({ is: 'ready', revision: '3.0.0+1' });
  expect(await template(merged)).toContain('colour: "blue"');
});

test.each([
  ['no such folder', { chart: 'charts/none' }, {}, 'stalled', 'InvalidChartReference', 'FetchFailed'],
  ['a folder above the source', { chart: '../app' }, {}, 'stalled', 'InvalidChartReference', 'FetchFailed'],
  ['no chart there', { chart: 'charts' }, {}, 'stalled', 'InvalidChartReference', 'FetchFailed'],
  ['no map', {}, { 'charts/app/Chart.yaml': '- a\n' }, 'stalled', 'InvalidChartReference', 'FetchFailed'],
  ['no YAML', {}, { 'charts/app/Chart.yaml': 'a: [\n' }, 'stalled', 'InvalidChartReference', 'FetchFailed'],
  ['no version', {}, { 'charts/app/Chart.yaml': 'apiVersion: v2\nname: app\n' }, 'stalled', 'InvalidChartReference', 'FetchFailed'],
  ['no apiVersion', {}, { 'charts/app/Chart.yaml': 'name: app\nversion: 1.0.0\n' }, 'stalled', 'InvalidChartReference', 'FetchFailed'],
  ['no archive', { chart: 'values-prod.yaml' }, {}, 'failed', 'ChartPackageError', 'BuildFailed'],
  ['a bad .helmignore', {}, { 'charts/app/.helmignore': 'a/**\n' }, 'failed', 'ChartPackageError', 'BuildFailed'],
  ['no values file', { valuesFiles: ['none.yaml'] }, {}, 'stalled', 'ValuesFilesError', 'BuildFailed'],
] as const)('%s: its condition and reason (definitions.md 2.5)', async (_what, over, files, is, reason, type) => {
  const good = await build(await git(app));
  const run = await build(await git({ ...app, ...files }, 'main@sha1:0123456789abcdef0123456789abcdef01234567'), over, {
    status: good.status,
    generation: 2,
  });
  expect(run.judged).toMatchObject({ is, reason });
  expect(conditionOf(run.status, type)).toMatchObject({ status: 'True', reason });
  expect(at(run.status, 'artifact')).toEqual(at(good.status, 'artifact'));
  expect((await build(await git(app), {}, { status: run.status, generation: 3 })).judged).toMatchObject({ is: 'ready' });
});

test('a version that cannot take build metadata', async () => {
  const version = `1.0.0-${'a'.repeat(245)}`;
  const run = await build(await git({ ...app, 'charts/app/Chart.yaml': chartYaml('app', version) }), { reconcileStrategy: 'Revision' });
  expect(run.judged).toMatchObject({ is: 'stalled', reason: 'MetadataPatchError' });
  expect(conditionOf(run.status, 'BuildFailed')).toMatchObject({ reason: 'MetadataPatchError' });
});
