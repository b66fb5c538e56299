import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ArtifactStore } from '#adapters/blob/artifacts.ts';
import { createArtifacts } from '#adapters/blob/artifacts.ts';
import type { RenderEngine } from '#adapters/kustomize/render.ts';
import { createRenderEngine } from '#adapters/kustomize/render.ts';
import { createSandbox } from '#adapters/sandbox/sandbox.ts';
import type { Sandbox, SandboxMode } from '#adapters/sandbox/types.ts';
import { AppError } from '#core/errors.ts';
import { textAt } from '#core/json.ts';
import type { BuildSpec, Manifest, Rendered, Substitution } from '#core/ports.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';

export type Files = Readonly<Record<string, string>>;
export type RenderCall = Readonly<{
  path?: string;
  build?: Partial<BuildSpec>;
  variables?: Substitution['variables'];
  always?: boolean;
  tenantId?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
}>;

/** The real store, sandbox and kustomize in a folder of their own. `canary` is a text that stands in a file next to everything; it must appear nowhere. */
export type Workshop = Readonly<{
  root: string;
  sandbox: Sandbox;
  store: ArtifactStore;
  engine: RenderEngine;
  /** Every run of a program in the sandbox so far. */
  runs: () => number;
  publish(files: Files): Promise<string>;
  render(files: Files | string, call?: RenderCall): Promise<Rendered>;
  close(): Promise<void>;
}>;

export const TENANT_A = '11111111-1111-4111-8111-111111111111';
export const TENANT_B = '22222222-2222-4222-8222-222222222222';
export const never = new AbortController().signal;
const run = promisify(execFile);

export const plainBuild: BuildSpec = Object.freeze({
  targetNamespace: null,
  namePrefix: null,
  nameSuffix: null,
  patches: [],
  images: [],
  components: [],
  ignoreMissingComponents: false,
  buildMetadata: null,
  commonLabels: {},
  commonAnnotations: {},
});

export async function openWorkshop(mode: 'auto' | SandboxMode = 'auto'): Promise<Workshop> {
  const root = await mkdtemp(join(tmpdir(), 'weir-render-'));
  const tools = await loadToolPaths({ only: ['kustomize', 'bwrap'] });
  const sandbox = await createSandbox({ mode, bwrap: tools.bwrap, workDir: join(root, 'sandbox'), signal: never });
  let runs = 0;
  const counted: Sandbox = {
    ...sandbox,
    run: (input, signal) => {
      runs += 1;
      return sandbox.run(input, signal);
    },
  };
  const store = createArtifacts({ dir: join(root, 'store'), clock: systemClock });
  const engine = await createRenderEngine({
    artifacts: store,
    sandbox: counted,
    kustomize: tools.kustomize,
    workDir: join(root, 'work'),
    cacheDir: join(root, 'cache'),
    clock: systemClock,
  });
  const publish = (files: Files): Promise<string> => publishTo(store, root, files);
  return {
    root,
    sandbox,
    store,
    engine,
    runs: () => runs,
    publish,
    async render(files, call = {}) {
      const artifactDigest = typeof files === 'string' ? files : await publish(files);
      const render = engine.forTenant(scopeOfJob({ tenantId: call.tenantId ?? TENANT_A }, 'test'));
      return render.render(
        {
          artifactDigest,
          path: call.path ?? './',
          build: { ...plainBuild, ...call.build },
          substitution: { variables: call.variables ?? {}, always: call.always ?? false },
        },
        { timeoutMs: call.timeoutMs ?? 30_000 },
        call.signal ?? never,
      );
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}

async function publishTo(store: ArtifactStore, root: string, files: Files): Promise<string> {
  const tree = await mkdtemp(join(root, 'tree-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await writeFile(join(tree, path), content);
  }
  const tarPath = `${tree}.tar`;
  await run('tar', ['-cf', tarPath, '-C', tree, ...(await readdir(tree))]);
  const artifact = await store.put({ tarPath, ignore: null, maxBytes: 100_000_000, maxEntries: 100_000 }, never);
  await rm(tree, { recursive: true, force: true });
  return artifact.digest;
}

/** `Kind namespace/name` of each object, in order. */
export function names(objects: readonly Manifest[]): readonly string[] {
  return objects.map((one) =>
    [
      textAt(one, 'kind'),
      [textAt(one, 'metadata', 'namespace'), textAt(one, 'metadata', 'name')].filter((part) => part !== undefined).join('/'),
    ].join(' '),
  );
}

export function find(objects: readonly Manifest[], kind: string): Manifest {
  const found = objects.find((one) => one['kind'] === kind);
  if (found === undefined) throw new Error(`no ${kind} in the render`);
  return found;
}

/** The refusal of a render: its code and message. A render that succeeds fails the test. */
export async function refusalOf(rendering: Promise<unknown>): Promise<Readonly<{ code: string; message: string }>> {
  try {
    await rendering;
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('the render was not refused');
}

export function configMap(name: string, data: Readonly<Record<string, string>> = { key: 'value' }): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}

export function kustomization(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...fields });
}
