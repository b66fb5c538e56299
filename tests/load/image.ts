import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { createEgress } from '#adapters/egress/egress.ts';
import { createEgressHttp } from '#adapters/egress/http.ts';
import { createRegistry } from '#adapters/oci/registry.ts';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { type Rule, selectTag } from '#core/image/select.ts';
import type { Registry } from '#core/registry.ts';
import { systemClock } from '#core/time.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { openChildren } from '#deploy/local/children.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { scanTags } from '#kinds/image-repository/scan.ts';
import { FLUX_LAYER, openPusher } from '#tests/oci/push.ts';

/**
 * Benchmark (h), the parts of a scan: 10,000 tags of a real registry listed, sorted and evaluated, cold and unchanged, and 100 such repositories in one process. Only
 * 127.0.0.1. `node tests/load/image.ts [tags] [repositories]` prints one JSON line. How long a tag takes to become a commit: tests/load/image-tags.ts.
 */
const never = new AbortController().signal;
const AT_ONCE = 8;
const TIMEOUT_MS = 60_000;

type Parts = Readonly<{ registry: Registry; server: RegistryServer; caPem: string }>;

const remoteOf = ({ server, caPem }: Parts, repository: string) => ({
  host: server.host,
  repository,
  insecure: false,
  credential: { is: 'basic', username: server.username, password: server.password } as const,
  caPem,
  clientCertificate: null,
});

/** As a build makes them: half releases, half builds of a branch. */
const tagOf = (index: number): string =>
  index % 2 === 0
    ? `1.${index % 97}.${index}`
    : `main-${(index * 2_654_435_761).toString(16).padStart(12, '0').slice(-7)}-${1_700_000_000 + index}`;

/** The registry keeps a tag as a file that names a digest: so many pushes would take minutes. */
async function writeTags(registryDir: string, digest: string, count: number): Promise<void> {
  const dir = join(registryDir, 'content/docker/registry/v2/repositories/load/r0/_manifests/tags');
  for (let index = 0; index < count; index += 1) {
    const tag = join(dir, tagOf(index));
    await mkdir(join(tag, 'current'), { recursive: true });
    await writeFile(join(tag, 'current/link'), digest);
  }
}

/** CPU of this process in ms; the registry is another. */
async function cpuMs<T>(work: () => Promise<T> | T): Promise<readonly [number, T]> {
  const before = process.cpuUsage();
  const made = await work();
  const { user, system } = process.cpuUsage(before);
  return [Math.round((user + system) / 100) / 10, made];
}

const RULES: Readonly<Record<string, Readonly<{ rule: Rule; pattern: string; extract: string }>>> = {
  semver: { rule: { by: 'semver', range: '1.x' }, pattern: '', extract: '' },
  numerical: { rule: { by: 'numerical', order: 'asc' }, pattern: '^main-[a-f0-9]+-(?P<ts>[0-9]+)$', extract: '$ts' },
  alphabetical: { rule: { by: 'alphabetical', order: 'asc' }, pattern: '^main-', extract: '' },
};

async function measure(parts: Parts, repositories: number) {
  const patterns = createPatterns();
  const compiled = patterns.compile('^.*\\.sig$');
  if (compiled.is === 'invalid') throw new Error(compiled.message);
  const scan = (repository: string, known: string | null) =>
    scanTags(parts.registry, remoteOf(parts, repository), { excluded: [compiled], known, timeoutMs: TIMEOUT_MS }, never);
  const startedMs = performance.now();
  const [listedCpuMs, listed] = await cpuMs(() => scan('load/r0', null));
  const listedMs = Math.round(performance.now() - startedMs);
  if (listed.is !== 'listed') throw new Error('a first scan lists');
  const chosen: Record<string, unknown> = {};
  for (const [name, { rule, pattern, extract }] of Object.entries(RULES)) {
    const filter = pattern === '' ? null : { pattern, extract };
    const [coldCpuMs, selection] = await cpuMs(() => selectTag({ rule, filter, patterns }, listed.tags));
    chosen[name] = {
      coldCpuMs,
      listedAndEvaluatedCpuMs: Math.round(10 * (listedCpuMs + coldCpuMs)) / 10,
      tag: selection.is === 'chosen' ? selection.tag : null,
    };
  }
  const unchanged: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const [took, again] = await cpuMs(() => scan('load/r0', listed.listing));
    if (again.is !== 'same') throw new Error('the same list is known again');
    unchanged.push(took);
  }
  const limit = pLimit(AT_ONCE);
  const allStartedMs = performance.now();
  const kept = new Map<string, string>();
  const [allCpuMs] = await cpuMs(() =>
    Promise.all(
      Array.from({ length: repositories }, (_, index) =>
        limit(async () => {
          const one = await scan(`load/r${index}`, null);
          if (one.is !== 'listed') throw new Error('a first scan lists');
          // What PostgreSQL is given; the tags themselves go.
          kept.set(`load/r${index}`, one.revision);
        }),
      ),
    ),
  );
  const rssMiB = Math.round(process.resourceUsage().maxRSS / 1_024);
  return {
    tags: listed.tags.length,
    listedMs,
    listedCpuMs,
    evaluated: chosen,
    unchangedCpuMs: unchanged,
    all: { repositories: kept.size, tookMs: Math.round(performance.now() - allStartedMs), cpuMs: allCpuMs, maxRssMiB: rssMiB },
  };
}

async function main(): Promise<void> {
  const tags = Math.min(100_000, Math.max(1, Number(process.argv[2] ?? 10_000)));
  const repositories = Math.min(1_000, Math.max(1, Number(process.argv[3] ?? 100)));
  const children = openChildren();
  const root = await mkdtemp(join(tmpdir(), 'weir-load-'));
  try {
    const { registry: program } = await loadToolPaths({ only: ['registry'] });
    if (program === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
    const authority = await openLocalAuthority(join(root, 'ca'), 'load run');
    const server = await startRegistry(children, { dir: join(root, 'registry'), program, authority });
    const caPem = authority.certificatePem;
    const pusher = openPusher({ ...server, caPem });
    const { digest } = await pusher.push('load/r0', 'latest', [{ mediaType: FLUX_LAYER, bytes: Buffer.from('x') }]);
    await pusher.close();
    await writeTags(join(root, 'registry'), digest, tags - 1);
    const repositoriesDir = join(root, 'registry/content/docker/registry/v2/repositories/load');
    for (let index = 1; index < repositories; index += 1) await symlink('r0', join(repositoriesDir, `r${index}`));
    const http = createEgressHttp({ egress: createEgress({ allowCidrs: ['127.0.0.0/8'] }), userAgent: 'weir/load', clock: systemClock });
    const registry = createRegistry({ http, clock: systemClock, allowHttpHosts: [], realms: new Map(), workDir: join(root, 'oci') });
    process.stdout.write(`${JSON.stringify(await measure({ registry, server, caPem }, repositories))}\n`);
    await http.close();
    await server.stop();
  } finally {
    children.killAll();
    await rm(root, { recursive: true, force: true });
  }
}

await main();
