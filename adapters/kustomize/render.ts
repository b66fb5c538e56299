import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Json } from '#core/json.ts';
import { canonicalJson } from '#core/json.ts';
import type { BuildSpec, Manifest, Render, Rendered } from '#core/ports.ts';
import type { TenantScope } from '#core/tenant.ts';
import { tenantKey } from '#core/tenant.ts';
import type { Clock } from '#core/time.ts';
import type { ArtifactTree } from './artifact-tree.ts';
import type { BuildSandbox } from './build.ts';
import { runKustomize } from './build.ts';
import type { BuildCache, Built } from './build-cache.ts';
import { createBuildCache, sha256 } from './build-cache.ts';
import { finishObjects } from './finish.ts';
import { splitDocuments, variableNames } from './objects.ts';
import { parseYaml, readDocuments, substituteAll } from './off-thread.ts';
import type { Closure } from './prescan/prescan.ts';
import { PRESCAN_LIMITS, prescan } from './prescan/prescan.ts';
import { createSingleFlight } from './single-flight.ts';
import { variablesFor } from './substitute.ts';
import type { ArtifactReader } from './trees.ts';
import { createTrees } from './trees.ts';

export type RenderOptions = Readonly<{
  artifacts: ArtifactReader;
  sandbox: BuildSandbox;
  /** Path of the pinned kustomize. Its digest is part of every key. */
  kustomize: string;
  /** A folder of this process alone; what stands in it from before is removed. */
  workDir: string;
  /** A folder that may outlive the process and be shared by several; each tenant has its own part. */
  cacheDir: string;
  clock: Clock;
}>;

export interface RenderEngine {
  /** The port, bound to a tenant: caches are never shared between tenants. */
  forTenant(scope: TenantScope): Render;
}

type RenderInput = Parameters<Render['render']>[0];
type Finished = Readonly<{ digest: string; objects: readonly Manifest[] }>;
/** Raised when the same inputs would give other objects than before. */
const FORMAT = 1;
const CACHE_LIMITS = Object.freeze({ maxEntries: 2_000, maxAgeMs: 7 * 86_400_000, maxEntryBytes: 64 * 1024 * 1024 });
const MAX_TREES = 32;
const MEMORY_BYTES = 64 * 1024 * 1024;

/**
 * Rendering with kustomize in the sandbox. Two levels of cache: what kustomize built (on disk, keyed by everything it could read), and the finished objects
 * (in memory only, because substituted values may be secret), keyed by the variables that are really read.
 */
export async function createRenderEngine(options: RenderOptions): Promise<RenderEngine> {
  const treesDir = join(options.workDir, 'trees');
  await rm(treesDir, { recursive: true, force: true });
  await mkdir(treesDir, { recursive: true });
  const trees = createTrees(options.artifacts, treesDir, MAX_TREES);
  const tool = await fileDigest(options.kustomize);
  const finished = new LRUCache<string, Finished>({ max: 5_000, maxSize: MEMORY_BYTES });
  const builds = createSingleFlight<Built>();

  function forTenant(scope: TenantScope): Render {
    const cache = createBuildCache(join(options.cacheDir, tenantKey(scope, 'render')), CACHE_LIMITS, options.clock);
    return {
      render: (input, limits, signal) =>
        trees.use(input.artifactDigest, async (tree) => {
          const closure = await prescan(tree, input.path, input.build, (text) =>
            parseYaml(text, PRESCAN_LIMITS.maxKustomizationBytes, signal),
          );
          const buildKey = buildKeyOf(tool, closure);
          const { built, cached } = await buildOnce(
            { scope, cache, closure, buildKey, artifactDigest: input.artifactDigest, timeoutMs: limits.timeoutMs },
            signal,
          );
          return finishOnce(scope, { buildKey, built, cached }, input, signal);
        }),
    };
  }

  type Step = Readonly<{
    scope: TenantScope;
    cache: BuildCache;
    closure: Closure;
    buildKey: string;
    artifactDigest: string;
    timeoutMs: number;
  }>;

  async function buildOnce(step: Step, signal: AbortSignal): Promise<Readonly<{ built: Built; cached: boolean }>> {
    if (step.closure.empty) return { built: { objects: [], names: [] }, cached: true };
    const known = await step.cache.get(step.buildKey);
    if (known !== null) return { built: known, cached: true };
    const built = await builds.run(
      tenantKey(step.scope, step.buildKey),
      (shared) => trees.use(step.artifactDigest, (tree) => build(step, tree, shared)),
      signal,
    );
    return { built, cached: false };
  }

  async function build(step: Step, tree: ArtifactTree, signal: AbortSignal): Promise<Built> {
    const { sandbox, kustomize, workDir } = options;
    const output = await runKustomize({ sandbox, kustomize, workDir, tree, closure: step.closure, timeoutMs: step.timeoutMs }, signal);
    const objects = await readDocuments(splitDocuments(output), signal);
    const built = { objects, names: variableNames(objects) };
    await step.cache.put(step.buildKey, built);
    return built;
  }

  type Before = Readonly<{ buildKey: string; built: Built; cached: boolean }>;

  async function finishOnce(scope: TenantScope, before: Before, input: RenderInput, signal: AbortSignal): Promise<Rendered> {
    const variables = variablesFor(input.substitution);
    const key = finishKeyOf(before, variables, input.build);
    const memoryKey = tenantKey(scope, key);
    const known = finished.get(memoryKey);
    if (known !== undefined) return { ...known, inputDigest: `sha256:${key}`, cached: before.cached };
    const done = await finish(before.built, variables, input.build, signal);
    finished.set(memoryKey, done.result, { size: done.sizeBytes });
    return { ...done.result, inputDigest: `sha256:${key}`, cached: before.cached };
  }

  return { forTenant };
}

/** Everything kustomize could read: the files it sees, the settings merged into the kustomization, and the program itself. */
function buildKeyOf(tool: string, closure: Closure): string {
  const files: Json = [...closure.files].map(([path, entry]) => [path, entry.sha256] as const).sort(byName);
  const kustomizations: Json = [...closure.kustomizations].map(([path, text]) => [path, sha256(text)] as const).sort(byName);
  return sha256(canonicalJson({ format: FORMAT, tool, root: closure.root, files, kustomizations }));
}

function byName(one: readonly [string, string], other: readonly [string, string]): number {
  return one[0] < other[0] ? -1 : 1;
}

function finishKeyOf(
  before: Readonly<{ buildKey: string; built: Built }>,
  variables: ReadonlyMap<string, string> | null,
  build: BuildSpec,
): string {
  const used: Json = variables === null ? null : before.built.names.map((name) => [name, variables.get(name) ?? null]);
  return sha256(
    canonicalJson({ format: FORMAT, build: before.buildKey, used, labels: build.commonLabels, annotations: build.commonAnnotations }),
  );
}

async function finish(
  built: Built,
  variables: ReadonlyMap<string, string> | null,
  build: BuildSpec,
  signal: AbortSignal,
): Promise<Readonly<{ result: Finished; sizeBytes: number }>> {
  const plain = variables === null ? built.objects.map((one) => one.object) : await substituteAll(built.objects, variables, signal);
  const objects = finishObjects(plain, build);
  const text = canonicalJson(objects);
  return { result: Object.freeze({ digest: `sha256:${sha256(text)}`, objects }), sizeBytes: text.length + 1 };
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
