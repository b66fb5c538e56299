import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { conditionOf } from '#core/conditions.ts';
import { textAt } from '#core/json.ts';
import { runnable } from '#core/reconcile/runnable.ts';
import { helmChartKind } from '#kinds/helm-chart/index.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { chartYaml, type HelmTool, openHelmTool, writeTree } from './helm-tool.ts';
import { type ChartParts, type Files, filesOf, never, openChartParts, type Pass, runPass, storedSource } from './passes.ts';

const folder = useTemporaryDir('file');
const kind = runnable(helmChartKind);
let parts: ChartParts;
let helm: HelmTool;
let packed: Buffer;

beforeAll(async () => {
  helm = await openHelmTool(join(folder(), 'home'));
  parts = openChartParts(folder());
  await writeTree(join(folder(), 'lib'), chart('common', '2.1.0'));
  await helm('package', join(folder(), 'lib'), '--destination', folder());
  packed = await readFile(join(folder(), 'common-2.1.0.tgz'));
});
afterAll(() => parts.close());

function chart(name: string, version: string, more = ''): Readonly<Record<string, string>> {
  return { 'Chart.yaml': chartYaml(name, version, more), 'templates/map.yaml': `from: {{ .Chart.Name }}-{{ .Chart.Version }}\n` };
}
const at = (path: string, files: Readonly<Record<string, string>>): Files =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`${path}/${name}`, text]));
const needs = (...lines: readonly string[]): string => `dependencies:\n${lines.map((line) => `- {${line}}\n`).join('')}`;

async function build(files: Files): Promise<Pass> {
  const revision = 'main@sha1:4e5cbb7b97d00a8039b8810b90b922f4256fd3bd';
  const source = await storedSource(parts, { kind: 'GitRepository', name: 'git', revision }, files);
  const spec = { chart: 'charts/app', interval: '1m', sourceRef: { kind: 'GitRepository', name: 'git' } };
  return runPass(parts, kind, { spec, objects: [source] });
}
const digestOf = ({ status }: Pass): string => textAt(status, 'artifact', 'digest') ?? '';
const template = async (pass: Pass): Promise<string> => helm('template', 'release', (await parts.store.open(digestOf(pass), never)).path);
const refused = (pass: Pass, message: RegExp): void => {
  expect(pass.judged).toMatchObject({ is: 'failed', reason: 'DependencyBuildError', message: expect.stringMatching(message) });
  expect(conditionOf(pass.status, 'BuildFailed')).toMatchObject({ status: 'True', reason: 'DependencyBuildError' });
};

test('a dependency that lies nowhere and has no address fails with its name and the next step', async () => {
  const app = at(
    'charts/app',
    chart('app', '1.0.0', needs('name: common, version: 2.x, repository: "@private"', 'name: b, version: 1.0.0')),
  );
  refused(await build(app), /the chart lacks common, b in charts\/ and names no address of it: run `helm dependency build`/);
});

test('what lies in charts/ counts by the name it gives itself: a folder, a package, both under any file name', async () => {
  const remote = 'name: common, version: 2.x, repository: "@private"';
  const app = at('charts/app', chart('app', '1.0.0', needs(remote)));
  const folderNamed = { ...app, ...at('charts/app/charts/common', chart('common', '2.1.0')) };
  const folderOther = { ...app, ...at('charts/app/charts/renamed', chart('common', '2.1.0')) };
  const package1 = { ...app, 'charts/app/charts/common-2.1.0.tgz': packed };
  const package2 = { ...app, 'charts/app/charts/renamed.tgz': packed };
  for (const files of [folderNamed, folderOther, package1, package2]) {
    const built = await build(files);
    expect(built.judged).toMatchObject({ is: 'ready' });
    expect(await template(built)).toContain('from: common-2.1.0');
  }
  // A longer name is another chart.
  await writeTree(join(folder(), 'longer'), chart('common-more', '2.1.0'));
  await helm('package', join(folder(), 'longer'), '--destination', folder());
  const longer = await readFile(join(folder(), 'common-more-2.1.0.tgz'));
  refused(await build({ ...app, 'charts/app/charts/common-more-2.1.0.tgz': longer }), /lacks common/);
});

test('requirements.yaml of a chart of apiVersion v1 counts as well', async () => {
  const files = {
    ...at('charts/app', { 'Chart.yaml': 'apiVersion: v1\nname: app\nversion: 1.0.0\n' }),
    'charts/app/requirements.yaml': needs('name: common, version: 2.x, repository: "@private"'),
  };
  refused(await build(files), /lacks common/);
  expect((await build({ ...files, 'charts/app/charts/common-2.1.0.tgz': packed })).judged).toMatchObject({ is: 'ready' });
});

test('file:// dependencies inside the source are packed along, theirs too, as helm does it', async () => {
  const files = {
    ...at(
      'charts/app',
      chart(
        'app',
        '1.0.0',
        needs('name: mid, version: 1.x, repository: "file://../mid"', 'name: tgz, version: "*", repository: "file://../../dist/tgz.tgz"'),
      ),
    ),
    ...at('charts/mid', {
      ...chart('mid', '1.4.0', needs('name: leaf, version: ">=0.1.0-0", repository: "file://../../libs/leaf"')),
      '.helmignore': '*.bak\n',
      'x.bak': 'no',
    }),
    ...at('libs/leaf', chart('leaf', '0.1.0-rc.1')),
  };
  await writeTree(join(folder(), 'tgz'), chart('tgz', '5.0.0'));
  await helm('package', join(folder(), 'tgz'), '--destination', folder());
  const built = await build({ ...files, 'dist/tgz.tgz': await readFile(join(folder(), 'tgz-5.0.0.tgz')) });
  expect(built.judged).toMatchObject({ is: 'ready', revision: '1.0.0' });
  const text = await template(built);
  for (const name of ['app-1.0.0', 'mid-1.4.0', 'leaf-0.1.0-rc.1', 'tgz-5.0.0']) expect(text).toContain(`from: ${name}`);
  const names = [...(await filesOf(parts, digestOf(built))).keys()];
  expect(names).toContain('chart/charts/mid/charts/leaf/Chart.yaml');
  expect(names).not.toContain('chart/charts/mid/x.bak');
  expect(await readdir(parts.workDir)).toEqual([]);
});

test('a lock file says which version is meant', async () => {
  const app = at('charts/app', chart('app', '1.0.0', needs('name: mid, version: 1.x, repository: "file://../mid"')));
  const files = { ...app, ...at('charts/mid', chart('mid', '1.4.0')) };
  const lock = (version: string): Files => ({
    'charts/app/Chart.lock': needs(`name: mid, version: ${version}, repository: "file://../mid"`),
  });
  expect((await build({ ...files, ...lock('1.4.0') })).judged).toMatchObject({ is: 'ready' });
  refused(await build({ ...files, ...lock('1.3.0') }), /mid: at its file:\/\/ path the chart has version 1\.4\.0/);
});

test('more than 63 dependencies that charts/ lacks are refused', async () => {
  const lines = Array.from({ length: 64 }, (_none, index) => `name: d${index}, version: 1.x, repository: "file://../d${index}"`);
  const found = lines.map((_none, index) => at(`charts/d${index}`, chart(`d${index}`, '1.0.0')));
  const files = Object.assign({}, ...found, at('charts/app', chart('app', '1.0.0', needs(...lines))));
  refused(await build(files), /beyond the 64/);
  const fewer = at('charts/app', chart('app', '1.0.0', needs(...lines.slice(1))));
  expect((await build({ ...files, ...fewer })).judged).toMatchObject({ is: 'ready' });
});

test.each([
  ['leaves the source', 'name: mid, version: 1.x, repository: "file://../../../mid"', /leaves the source/],
  ['names nothing', 'name: mid, version: 1.x, repository: "file://../none"', /at its file:\/\/ path there is no chart/],
  ['has another name', 'name: other, version: 1.x, repository: "file://../mid"', /another name/],
  ['has another version', 'name: mid, version: 2.x, repository: "file://../mid"', /has version 1\.4\.0/],
  ['asks for no range', 'name: mid, version: ^^, repository: "file://../mid"', /has version 1\.4\.0/],
  ['needs itself', 'name: app, version: 1.x, repository: "file://."', /nested deeper than 8/],
  ['needs what lies nowhere', 'name: lacking, version: 1.x, repository: "file://../lacking"', /lacks far in charts/],
])('a file:// dependency that %s is refused', async (_what, dependency, message) => {
  const files = {
    ...at('charts/app', chart('app', '1.0.0', needs(dependency))),
    ...at('charts/mid', chart('mid', '1.4.0')),
    ...at('charts/lacking', chart('lacking', '1.0.0', needs('name: far, version: 1.x, repository: "@private"'))),
  };
  refused(await build(files), message);
});
