import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { RegistryServer } from '#deploy/local/registry.ts';

const run = promisify(execFile);

export type ChartPusher = Readonly<{ url: string; push(version: string, options: Readonly<{ broken: boolean }>): Promise<void> }>;

const NAME = 'store';
const WEB = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
        - name: web
          image: ghcr.io/stefanprodan/podinfo:6.9.2
          resources: {requests: {cpu: 10m, memory: 16Mi}}
`;

function settings(broken: boolean): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  version: {{ .Chart.Version | quote }}
  greeting: {{ .Values.greeting | quote }}
${broken ? 'immutable: "this is no boolean"\n' : ''}`;
}

/** Packs versions of a sample chart and pushes them to a registry, both with the real helm, as a chart's author would. */
export function chartPusher(parts: Readonly<{ helm: string; registry: RegistryServer; dir: string; caFile: string }>): ChartPusher {
  const { helm, registry, dir, caFile } = parts;
  const home = { PATH: process.env['PATH'] ?? '', HOME: dir };
  return Object.freeze({
    url: `oci://${registry.host}/charts/${NAME}`,
    push: async (version: string, { broken }: Readonly<{ broken: boolean }>) => {
      const chart = join(dir, NAME);
      await rm(chart, { recursive: true, force: true });
      const files = {
        'Chart.yaml': `apiVersion: v2\nname: ${NAME}\nversion: ${version}\nappVersion: "6.9.2"\n`,
        'values.yaml': 'replicas: 1\ngreeting: hello\n',
        'templates/web.yaml': WEB,
        'templates/settings.yaml': settings(broken),
      };
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(chart, path)), { recursive: true });
        await writeFile(join(chart, path), text);
      }
      await run(helm, ['package', chart, '--destination', dir], { env: home });
      const login = ['--username', registry.username, '--password', registry.password, '--ca-file', caFile];
      await run(helm, ['push', join(dir, `${NAME}-${version}.tgz`), `oci://${registry.host}/charts`, ...login], { env: home });
    },
  });
}
