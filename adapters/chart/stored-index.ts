import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChartVersion } from '#core/charts.ts';
import { isObject, type Json, parseJson, textAt } from '#core/json.ts';
import type { Artifact, Artifacts } from '#core/ports.ts';
import type { ReadTar } from './chart-files.ts';
import { urlBelow } from './chart-url.ts';
import type { IndexEntries } from './index-lines.ts';

/** The limit of the index, and with it the list that is read from it. */
export const MAX_INDEX_BYTES = 50 * 1024 * 1024;
const MAX_STORED_BYTES = 3 * MAX_INDEX_BYTES;
const LIST = 'charts.jsonl';
const NEWLINE = 0x0a;

/** Stores an index as fetched, with a list of what charts need beside it: one line per chart, so that a look at one does not read 50 MiB of YAML again. */
export async function storeIndexFile(
  { artifacts, workDir }: Readonly<{ artifacts: Pick<Artifacts, 'putFiles'>; workDir: string }>,
  { file, entries }: Readonly<{ file: string; entries: IndexEntries }>,
  signal: AbortSignal,
): Promise<Artifact> {
  const list = join(workDir, randomUUID());
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  try {
    const names = [...entries.keys()].toSorted();
    const lines = names.map((name) => `${JSON.stringify([name, entries.get(name) ?? []])}\n`);
    await writeFile(list, lines, { flag: 'wx', mode: 0o600, signal });
    const files = [
      { path: 'index.yaml', file },
      { path: LIST, file: list },
    ];
    return await artifacts.putFiles({ files, maxBytes: MAX_STORED_BYTES, maxEntries: 2 }, signal);
  } finally {
    await rm(list, { force: true });
  }
}

/** The versions of a chart in a stored index; those without a usable address are left out. */
export async function readStoredVersions(
  readTar: ReadTar,
  path: string,
  { chart, repositoryUrl }: Readonly<{ chart: string; repositoryUrl: string }>,
  signal: AbortSignal,
): Promise<readonly ChartVersion[]> {
  const start = `[${JSON.stringify(chart)},`;
  const found: { line: string | null } = { line: null };
  const limits = { gzip: true, maxBytes: MAX_STORED_BYTES + 16_384, maxEntries: 4, symbolicLinks: 'refuse', signal } as const;
  await readTar(path, limits, async ({ names, content }) => {
    if (names.join('/') !== LIST) return;
    found.line = await lineThatStarts(content, Buffer.from(start));
  });
  const pair: Json = found.line === null ? null : parseJson(found.line);
  const list: Json | undefined = Array.isArray(pair) ? pair[1] : undefined;
  return Array.isArray(list) ? list.flatMap((one: Json) => versionOf(one, repositoryUrl)) : [];
}

/** The same of an index that was just read. Pure. */
export function versionsOf(entries: IndexEntries, chart: string, repositoryUrl: string): readonly ChartVersion[] {
  return (entries.get(chart) ?? []).flatMap(({ urls, ...one }) => versionOf({ ...one, urls: [...urls] }, repositoryUrl));
}

/** The first line with this start; only the line that is looked at is held. */
async function lineThatStarts(content: AsyncIterable<Buffer>, start: Buffer): Promise<string | null> {
  let line: Buffer[] = [];
  for await (const chunk of content) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      line.push(chunk.subarray(from, end));
      const whole = Buffer.concat(line);
      if (whole.subarray(0, start.byteLength).equals(start)) return whole.toString('utf8');
      line = [];
      from = end + 1;
    }
    line.push(chunk.subarray(from));
  }
  return null;
}

function versionOf(one: Json, repositoryUrl: string): readonly ChartVersion[] {
  const version = textAt(one, 'version') ?? '';
  const urls = isObject(one) ? one['urls'] : undefined;
  const first: Json | undefined = Array.isArray(urls) ? urls[0] : undefined;
  const url = typeof first === 'string' ? urlBelow(repositoryUrl, first) : null;
  if (version === '' || url === null) return [];
  const created = Date.parse(textAt(one, 'created') ?? '');
  return [Object.freeze({ version, url, digest: textAt(one, 'digest') ?? '', createdAtMs: Number.isNaN(created) ? 0 : created })];
}
