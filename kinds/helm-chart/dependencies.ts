import type { BringDependency, ChartDependency, ChartRefusal, ChartRemote, ChartVersion } from '#core/charts.ts';
import { textAt } from '#core/json.ts';
import type { Ctx } from '#core/kind.ts';
import { parseOciUrl } from '#core/oci-values.ts';
import type { StoredObject } from '#core/store.ts';
import { pullFailure } from './failure.ts';
import type { HelmChartNeed } from './observe.ts';
import { fetchChart, type Repository, versionsIn } from './registry.ts';
import { DEFAULT_TIMEOUT_MS, logIn, logInToRegistry, timeoutMsOf } from './source.ts';
import { findVersion } from './target.ts';
import { unsupportedSource } from './unsupported.ts';

/** Each index may have 50 MiB, and stays on disk until the build ends. */
const MAX_INDEXES = 16;

type Brought = Awaited<ReturnType<BringDependency>>;
type Dependencies = Readonly<{ bring: BringDependency; dispose(): Promise<void> }>;

/**
 * Fetches dependencies of a chart from the repositories that it names. A HelmRepository of the same namespace with that very address lends its login and trust; without one the
 * repository is asked as anybody. Each index is fetched once per build. Whatever fails is a `DependencyBuildError`, which is tried again.
 */
export function openDependencies(ctx: Ctx<HelmChartNeed>, namespace: string): Dependencies {
  const indexes = new Map<string, string>();
  const ends: (() => Promise<void>)[] = [];
  const known: { list: readonly StoredObject[] | null } = { list: null };

  async function repositoryAt(address: string): Promise<StoredObject | null> {
    known.list ??= await ctx.lookup.list('HelmRepository', namespace);
    return known.list.find((one) => normalized(textAt(one.body, 'spec', 'url') ?? '') === normalized(address)) ?? null;
  }

  async function fromIndex(dependency: ChartDependency, repository: StoredObject | null): Promise<Brought> {
    const remote = await httpRemote(ctx, dependency, repository);
    if ('is' in remote) return remote;
    const versions = await versionsAt(remote, dependency);
    if ('is' in versions) return versions;
    const target = findVersion(dependency.name, dependency.version, versions);
    if (target.is === 'missing') return refuse(dependency, target.message);
    const found = await ctx.charts.download(remote, target.version, ctx.signal);
    return found.is === 'file' ? found : refuse(dependency, found.message);
  }

  async function versionsAt(remote: ChartRemote, dependency: ChartDependency): Promise<readonly ChartVersion[] | ChartRefusal> {
    let file = indexes.get(remote.url);
    if (file === undefined) {
      if (indexes.size >= MAX_INDEXES) return refuse(dependency, `the chart names more than ${MAX_INDEXES} repositories`);
      const look = await ctx.charts.lookAtIndex(remote, null, ctx.signal);
      if (look.is === 'unchanged') throw new Error('nobody asked whether the index has changed');
      if (look.is === 'refused') return refuse(dependency, look.message);
      file = look.file;
      indexes.set(remote.url, file);
    }
    const read = await ctx.charts.versionsIn({ file, repositoryUrl: remote.url }, dependency.name, ctx.signal);
    return read.is === 'versions' ? read.versions : refuse(dependency, `the index of its repository cannot be read: ${read.message}`);
  }

  async function fromRegistry(dependency: ChartDependency, repository: StoredObject | null): Promise<Brought> {
    const place = await registryPlace(ctx, dependency, repository);
    if ('is' in place) return place;
    const target = findVersion(dependency.name, dependency.version, await versionsIn(ctx, place, dependency.version));
    if (target.is === 'missing') return refuse(dependency, target.message);
    const fetched = await fetchChart(ctx, place, target.version.version, async () => null);
    if (fetched.is === 'refused') return refuse(dependency, fetched.message);
    ends.push(fetched.dispose);
    return { is: 'file', file: fetched.path };
  }

  return Object.freeze({
    async bring(dependency: ChartDependency): Promise<Brought> {
      const repository = await repositoryAt(dependency.repository);
      try {
        const isOci = dependency.repository.startsWith('oci://');
        return await (isOci ? fromRegistry(dependency, repository) : fromIndex(dependency, repository));
      } catch (error) {
        const failure = pullFailure(error);
        if (failure === null) throw error;
        return refuse(dependency, failure.message);
      }
    },
    async dispose(): Promise<void> {
      for (const end of ends) await end();
    },
  });
}

async function httpRemote(
  ctx: Ctx<HelmChartNeed>,
  dependency: ChartDependency,
  repository: StoredObject | null,
): Promise<ChartRemote | ChartRefusal> {
  if (repository === null) {
    const nobody = { credential: { is: 'none' }, caPem: null, clientCertificate: null, passCredentials: false } as const;
    return { url: dependency.repository, timeoutMs: DEFAULT_TIMEOUT_MS, ...nobody };
  }
  const login = await logIn(ctx, repository);
  return login.is === 'remote' ? login.remote : refuse(dependency, login.message);
}

async function registryPlace(
  ctx: Ctx<HelmChartNeed>,
  dependency: ChartDependency,
  repository: StoredObject | null,
): Promise<Repository | ChartRefusal> {
  if (repository === null) {
    const address = parseOciUrl(`${dependency.repository.replace(/\/+$/, '')}/${dependency.name}`);
    if (typeof address === 'string') return refuse(dependency, `its address ${address}`);
    const nobody = { insecure: false, credential: { is: 'none' }, caPem: null, clientCertificate: null } as const;
    return { remote: { ...address, ...nobody }, timeoutMs: DEFAULT_TIMEOUT_MS };
  }
  const unsupported = unsupportedSource(repository, `HelmRepository '${repository.namespace}/${repository.name}'`, undefined);
  if (unsupported !== null) return refuse(dependency, unsupported);
  const login = await logInToRegistry(ctx, repository, dependency.name);
  return login.is === 'remote' ? { remote: login.remote, timeoutMs: timeoutMsOf(repository) } : refuse(dependency, login.message);
}

function refuse({ name }: ChartDependency, message: string): ChartRefusal {
  return { is: 'refused', reason: 'DependencyBuildError', message: `dependency ${name.slice(0, 100)}: ${message}` };
}

/** Spellings of one address: a slash at the end, and letter case of an http host. */
function normalized(address: string): string {
  const url = URL.parse(address);
  return (url?.href ?? address).replace(/\/+$/, '');
}
