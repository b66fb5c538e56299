import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { at } from '#core/json.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { useReleases } from '#tests/helm-release/app.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { type ChartServer, makeChartAuthority, startChartServer } from './chart-server.ts';
import { chartYaml, type HelmTool, mapTemplate, openHelmTool, writeTree } from './helm-tool.ts';

const folder = useTemporaryDir('file');
const releases = useReleases('repo-release');
const { app } = releases;
let server: ChartServer;
let helm: HelmTool;
let caPem: string;

beforeAll(async () => {
  helm = await openHelmTool(join(folder(), 'home'));
  const authority = await makeChartAuthority();
  caPem = authority.caPem;
  server = await startChartServer(authority);
});
afterAll(() => server.close());

async function publish(version: string, colour: string): Promise<void> {
  const [chart, site] = [join(folder(), version), join(folder(), 'site')];
  const files = { 'Chart.yaml': chartYaml('app', version), 'values.yaml': `colour: ${colour}\n`, 'templates/map.yaml': mapTemplate };
  await writeTree(chart, files);
  await helm('package', chart, '--destination', site);
  await helm('repo', 'index', site);
  for (const name of await readdir(site)) server.files.set(`/charts/${name}`, await readFile(join(site, name)));
}

test('a chart of a repository is released on a cluster, and a new version in the index upgrades it', async () => {
  await publish('1.0.0', 'red');
  const metadata = (name: string) => ({ name: `${app.id}-${name}`, namespace: 'team-a' });
  await app.create({ apiVersion: 'v1', kind: 'Secret', metadata: metadata('ca'), stringData: { 'ca.crt': caPem } });
  await app.create({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'HelmRepository',
    metadata: metadata('repo'),
    spec: { url: `${server.url}/charts`, interval: '1h', certSecretRef: { name: `${app.id}-ca` } },
  });
  const sourceRef = { kind: 'HelmRepository', name: `${app.id}-repo` };
  const name = await releases.release('app', { chart: { spec: { chart: 'app', version: '1.x', sourceRef, interval: '1h' } } });
  await app.place([name], ['north'], 'HelmRelease');
  await releases.ready(name, 'True');
  const colour = async () => at((await app.live('north', configMapPath(name))) ?? {}, 'data', 'colour');
  expect(await colour()).toBe('red');
  await publish('1.1.0', 'green');
  const requestedAt = String(Date.now());
  await app.patch('HelmRepository', `${app.id}-repo`, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': requestedAt } } });
  await expect.poll(colour, { timeout: 40_000 }).toBe('green');
  expect(await releases.helm('north', 'ls', '--filter', `^${name}$`)).toContain('app-1.1.0');
});
