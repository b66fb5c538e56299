import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export type HelmTool = (...args: readonly string[]) => Promise<string>;

/** The pinned helm with a home of its own, and nothing of this machine's. */
export async function openHelmTool(home: string): Promise<HelmTool> {
  const { helm } = await loadToolPaths({ only: ['helm'] });
  await mkdir(home, { recursive: true });
  const env = { PATH: '/usr/bin:/bin', HOME: home };
  return async (...args) => (await run(helm, [...args], { env, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
}

export async function writeTree(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

export const chartYaml = (name: string, version: string, more = ''): string =>
  `apiVersion: v2\nname: ${name}\nversion: ${version}\n${more}`;
export const mapTemplate =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {colour: {{ .Values.colour | quote }}}\n';
