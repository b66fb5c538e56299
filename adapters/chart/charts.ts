import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ChartBuild, ChartOptions, ChartRemote, Charts, ChartVersion, IndexLook, IndexMark } from '#core/charts.ts';
import { AppError } from '#core/errors.ts';
import type { EgressHttp, HttpAnswer } from '#core/http.ts';
import type { Artifacts } from '#core/ports.ts';
import { type BuildParts, buildChart } from './build.ts';
import { type ChartFiles, MAX_CHART_BYTES, type ReadTar, readChartArchive } from './chart-files.ts';
import { hasSameOrigin, urlBelow } from './chart-url.ts';
import { cleanPath } from './clean-path.ts';
import { withDependencies } from './dependencies.ts';
import { type ParseYaml, readIndexFile, yamlOf } from './index-file.ts';
import { refusalOf, refuse } from './refusal.ts';
import { readSourceChart, sourceArchive } from './source-chart.ts';
import { MAX_INDEX_BYTES, readStoredVersions, storeIndexFile, versionsOf } from './stored-index.ts';

export type ChartsOptions = Readonly<{
  http: EgressHttp;
  artifacts: Pick<Artifacts, 'putFiles'> & Readonly<{ open(digest: string, signal: AbortSignal): Promise<Readonly<{ path: string }>> }>;
  readTar: ReadTar;
  parseYaml: ParseYaml;
  workDir: string;
  /** Hosts (with their port, unless it is 80) that the operator lets be reached over plain http. */
  allowHttpHosts: readonly string[];
}>;

const DIGEST = /^(?:sha256:)?([0-9a-f]{64})$/;
const MAX_REDIRECTS = 5;
const MAX_CHART_YAML_BYTES = 1_048_576;

/** Charts for one run; `dispose` removes what it downloaded. */
export function createCharts(options: ChartsOptions): Charts & Readonly<{ dispose(): Promise<void> }> {
  const folder = join(options.workDir, randomUUID());
  const build: BuildParts = { artifacts: options.artifacts, parseYaml: options.parseYaml, workDir: folder };
  const { readTar } = options;

  return Object.freeze({
    async lookAtIndex(remote: ChartRemote, known: IndexMark | null, signal: AbortSignal): Promise<IndexLook> {
      const url = urlBelow(remote.url, 'index.yaml');
      if (url === null) return { is: 'refused', message: 'spec.url is no http address' };
      const headers = {
        ...(known === null || known.etag === null ? {} : { 'if-none-match': known.etag }),
        ...(known === null || known.lastModified === null ? {} : { 'if-modified-since': known.lastModified }),
      };
      const file = await newFile();
      const answer = await get(remote, { url, headers, maxBytes: MAX_INDEX_BYTES, file }, signal);
      if (answer.status === 304 && known !== null) return { is: 'unchanged' };
      if (answer.status !== 200 || answer.path === null)
        return { is: 'refused', message: `${hostOf(url)} answered ${answer.status} for the index` };
      const mark = { etag: markOf(answer.headers['etag']), lastModified: markOf(answer.headers['last-modified']) };
      return { is: 'index', file, revision: answer.digest, mark };
    },

    async storeIndex(file: string, signal: AbortSignal) {
      const read = await readIndexFile(file, options.parseYaml, signal);
      if (read.is === 'refused') return read;
      const artifact = await storeIndexFile({ artifacts: options.artifacts, workDir: folder }, { file, entries: read.entries }, signal);
      return { is: 'stored' as const, artifact };
    },

    async versionsOf({ digest, repositoryUrl }: Readonly<{ digest: string; repositoryUrl: string }>, chart: string, signal: AbortSignal) {
      const { path } = await options.artifacts.open(digest, signal);
      return readStoredVersions(readTar, path, { chart, repositoryUrl }, signal);
    },

    async versionsIn({ file, repositoryUrl }: Readonly<{ file: string; repositoryUrl: string }>, chart: string, signal: AbortSignal) {
      const read = await readIndexFile(file, options.parseYaml, signal);
      if (read.is === 'refused') return read;
      return { is: 'versions' as const, versions: versionsOf(read.entries, chart, repositoryUrl) };
    },

    download,

    async fromRepository(remote: ChartRemote, version: ChartVersion, chartOptions: ChartOptions, signal: AbortSignal) {
      const found = await download(remote, version, signal);
      return found.is === 'file' ? fromArchive(found.file, chartOptions, signal) : found;
    },

    fromFile: fromArchive,

    async fromSource(source: Parameters<Charts['fromSource']>[0], chartOptions: ChartOptions, signal: AbortSignal) {
      const { path } = await options.artifacts.open(source.digest, signal);
      const archive = sourceArchive(path, readTar, newFile);
      try {
        const found = await readSourceChart(archive, { chart: source.path, valuesFiles: chartOptions.valuesFiles }, signal);
        if ('is' in found) return found;
        const root = cleanPath(source.path) ?? '';
        const complete = found.needsDependencies
          ? (files: ChartFiles) =>
              withDependencies({ archive, read: readDocument(signal), bring: source.bring }, { files, root, depth: 0 }, signal)
          : null;
        return await buildChart(build, { ...found, badChart: 'InvalidChartReference', complete, options: chartOptions }, signal);
      } catch (error) {
        return refusalOf(error, 'ChartPackageError');
      }
    },

    dispose: () => rm(folder, { recursive: true, force: true }),
  });

  async function download(remote: ChartRemote, version: ChartVersion, signal: AbortSignal) {
    const file = await newFile();
    const answer = await get(remote, { url: version.url, headers: {}, maxBytes: MAX_CHART_BYTES, file }, signal);
    if (answer.status !== 200 || answer.path === null)
      return refuse('ChartPullError', `${hostOf(version.url)} answered ${answer.status} for version ${version.version} of the chart`);
    const expected = DIGEST.exec(version.digest)?.[1];
    if (expected !== undefined && (await sha256Of(file, signal)) !== expected)
      return refuse(
        'ChartPullError',
        `version ${version.version} of the chart has another digest than the index says: publish the index again`,
      );
    return { is: 'file' as const, file };
  }

  /** A packed chart that came from outside. */
  async function fromArchive(file: string, chartOptions: ChartOptions, signal: AbortSignal): Promise<ChartBuild> {
    let files: ChartFiles;
    try {
      files = await readChartArchive(file, readTar, signal);
    } catch (error) {
      return refusalOf(error, 'ChartPullError');
    }
    try {
      const input = { files, valuesFrom: files, badChart: 'ChartPullError', complete: null, options: chartOptions } as const;
      return await buildChart(build, input, signal);
    } catch (error) {
      return refusalOf(error, 'ChartPackageError');
    }
  }

  function readDocument(signal: AbortSignal) {
    return async (bytes: Buffer) => {
      const read = await yamlOf(bytes.toString('utf8'), MAX_CHART_YAML_BYTES, options.parseYaml, signal);
      return typeof read === 'string' ? undefined : read.documents[0];
    };
  }

  async function newFile(): Promise<string> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return join(folder, randomUUID());
  }

  type Get = Readonly<{ url: string; headers: Readonly<Record<string, string>>; maxBytes: number; file: string }>;

  async function get(remote: ChartRemote, { url, headers, maxBytes, file }: Get, signal: AbortSignal): Promise<HttpAnswer> {
    const trusted = remote.passCredentials || hasSameOrigin(url, remote.url);
    const answer = await options.http.request({
      url,
      method: 'GET',
      headers,
      credential: trusted ? remote.credential : { is: 'none' },
      caPem: remote.caPem,
      clientCertificate: trusted ? remote.clientCertificate : null,
      allowHttp: options.allowHttpHosts.includes(hostOf(url)),
      maxBytes,
      timeoutMs: remote.timeoutMs,
      redirects: MAX_REDIRECTS,
      to: { file },
      signal,
    });
    if (answer.status === 401 || answer.status === 403)
      throw new AppError('upstreamAuthFailed', `the host ${hostOf(url)} answered ${answer.status}: check the Secret of spec.secretRef`);
    if (answer.status === 429 || answer.status >= 500)
      throw new AppError('upstreamFailed', `the host ${hostOf(url)} answered ${answer.status}`, {
        ...(answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs }),
      });
    return answer;
  }
}

/** A mark goes into status and back into a header: short and printable, or none. */
function markOf(text: string | undefined): string | null {
  return text !== undefined && /^[\x20-\x7e]{1,256}$/.test(text) ? text : null;
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'the host';
}

async function sha256Of(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest('hex');
}
