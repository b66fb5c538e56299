import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type JsonObject, textAt } from '#core/json.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { useScene } from './scene.ts';

const run = promisify(execFile);
const scene = useScene('oci-chart');
const folder = useTemporaryDir('file');
const files = {
  'Chart.yaml': 'apiVersion: v2\nname: hello\nversion: 1.2.3+build.4\n',
  'values.yaml': 'colour: blue\n',
  'templates/cm.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hello}\ndata: {colour: {{ .Values.colour }}}\n',
};

/** Packs and pushes a chart with the pinned helm, and answers a function that runs it. */
async function pushChart(): Promise<(...args: readonly string[]) => Promise<string>> {
  const { helm: program } = await loadToolPaths({ only: ['helm'] });
  const registryConfig = join(folder(), 'login.json');
  const { host, username, password } = scene.registry();
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  await writeFile(registryConfig, JSON.stringify({ auths: { [host]: { auth } } }), { mode: 0o600 });
  const env = { PATH: process.env['PATH'], HOME: folder(), HELM_REGISTRY_CONFIG: registryConfig };
  const helm = async (...args: readonly string[]) => (await run(program, [...args], { env, cwd: folder(), timeout: 60_000 })).stdout;
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder(), 'hello', path)), { recursive: true });
    await writeFile(join(folder(), 'hello', path), text);
  }
  await helm('package', 'hello');
  await helm('push', 'hello-1.2.3+build.4.tgz', `oci://${host}/charts`, '--ca-file', scene.authority().certificateFile);
  return helm;
}

test('a chart that helm pushed is found by its version, and is a chart again from the artifact, kept or unpacked', async () => {
  const helm = await pushChart();
  const url = `oci://${scene.front().host}/charts/hello`;
  const mediaType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
  const wanted: Readonly<Record<string, JsonObject>> = {
    kept: { ref: { semver: '>=1.2.3' }, layerSelector: { mediaType, operation: 'copy' } },
    unpacked: { ref: { tag: '1.2.3+build.4' }, layerSelector: { mediaType } },
    plain: { ref: { semver: '1.2.x' } },
  };
  for (const [name, spec] of Object.entries(wanted)) {
    const source = await scene.source(name, { url, ...spec });
    await scene.settled(source, 'True', 'Succeeded');
    const status = await scene.status(source);
    expect(textAt(status, 'artifact', 'revision')).toMatch(/^1\.2\.3_build\.4@sha256:/);
    expect(textAt(status, 'artifact', 'metadata', 'org.opencontainers.image.version')).toBe('1.2.3+build.4');
    const hex = (textAt(status, 'artifact', 'digest') ?? '').slice('sha256:'.length);
    const file = join(dirname(dirname(scene.app.demo().plane.caFile)), 'artifacts', 'sha256', hex.slice(0, 2), `${hex}.tar.gz`);
    expect(await helm('template', 'mine', file, '--set', 'colour=red')).toContain('data: {colour: red}');
    expect(await helm('show', 'chart', file)).toContain('version: 1.2.3+build.4');
  }
});
