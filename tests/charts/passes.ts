import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ArtifactStore, createArtifacts } from '#adapters/blob/artifacts.ts';
import { readTar } from '#adapters/blob/read-tar.ts';
import { createCharts } from '#adapters/chart/charts.ts';
import { createEgress } from '#adapters/egress/egress.ts';
import { createEgressHttp } from '#adapters/egress/http.ts';
import { parseYaml } from '#adapters/kustomize/off-thread.ts';
import { createRegistry } from '#adapters/oci/registry.ts';
import { createPatterns } from '#adapters/re2/patterns.ts';
import { createSigstore } from '#adapters/sigstore/sigstore.ts';
import { brokenStatusRules } from '#core/conditions.ts';
import { noFailpoints } from '#core/failpoints.ts';
import type { EgressHttp } from '#core/http.ts';
import type { JsonObject } from '#core/json.ts';
import type { Judged } from '#core/kind.ts';
import { silentLog } from '#core/log.ts';
import type { Runnable } from '#core/reconcile/runnable.ts';
import { finalStatus } from '#core/reconcile/write-up.ts';
import type { Registry } from '#core/registry.ts';
import type { Sigstore } from '#core/sigstore.ts';
import type { StoredObject } from '#core/store.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';

export const TENANT = '11111111-1111-4111-8111-111111111111';
export const never: AbortSignal = new AbortController().signal;

export type Pass = Readonly<{ status: JsonObject; judged: Judged<never>; acts: readonly string[] }>;
export type Given = Readonly<{
  spec: JsonObject;
  status?: JsonObject | null;
  generation?: number;
  secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  objects?: readonly StoredObject[];
}>;

/** The real parts of a source worker on one folder: artifact store, egress client allowed to reach this machine, charts. */
export type ChartParts = Readonly<{
  store: ArtifactStore;
  http: EgressHttp;
  registry: Registry;
  sigstore: Sigstore;
  workDir: string;
  allowHttpHosts: readonly string[];
  close(): Promise<void>;
}>;

export function openChartParts(root: string, allowCidrs: readonly string[] = ['127.0.0.0/8', '::1/128']): ChartParts {
  const store = createArtifacts({ dir: join(root, 'artifacts'), clock: systemClock });
  const http = createEgressHttp({ egress: createEgress({ allowCidrs }), userAgent: 'weir/test', clock: systemClock });
  const registry = createRegistry({ http, clock: systemClock, allowHttpHosts: [], realms: new Map(), workDir: join(root, 'oci') });
  const sigstore = createSigstore(null);
  return { store, http, registry, sigstore, workDir: join(root, 'work'), allowHttpHosts: [], close: () => http.close() };
}

export function chartsOf({ store, http, workDir, allowHttpHosts }: ChartParts) {
  return createCharts({ http, artifacts: store, readTar, parseYaml, workDir, allowHttpHosts });
}

export function storedObject(kind: string, name: string, over: Partial<StoredObject> = {}): StoredObject {
  const lists = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [], managedFields: [], sealedKeys: [] };
  const base = { tenantId: TENANT, kind, uid: `uid-${name}`, namespace: 'team', name, generation: 1, resourceVersion: '1' };
  return { ...base, ...lists, createdAtMs: 0, deletingAtMs: null, body: {}, status: null, createdBy: '', ...over };
}

/** One pass in the order of core/reconcile: observe, decide, act, look again, judge; the status is checked against the house rules. */
export async function runPass(parts: ChartParts, kind: Runnable, given: Given): Promise<Pass> {
  const { spec, status: before = null, generation = 1, secrets = {}, objects = [] } = given;
  const definition = storedObject(kind.resource.kind, 'app', { generation, body: { spec }, status: before });
  const charts = chartsOf(parts);
  const bytes = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
  const ctx = {
    scope: scopeOfJob({ tenantId: TENANT }, 'source'),
    signal: never,
    log: silentLog,
    failpoints: noFailpoints,
    nowMs: systemClock.nowMs,
    record: () => undefined,
    charts,
    artifacts: parts.store,
    registry: parts.registry,
    sigstore: parts.sigstore,
    patterns: createPatterns(),
    secrets: { read: async (_namespace: string, name: string) => (secrets[name] === undefined ? null : bytes(secrets[name])) },
    lookup: {
      get: async (key: Readonly<{ kind: string; namespace: string; name: string }>) =>
        objects.find((one) => one.kind === key.kind && one.namespace === key.namespace && one.name === key.name) ?? null,
      list: async (kind: string, namespace: string) => objects.filter((one) => one.kind === kind && one.namespace === namespace),
    },
  };
  const acts: string[] = [];
  let status = before ?? { observedGeneration: -1 };
  try {
    for (;;) {
      const step = await kind.step(ctx as never, { definition, status, done: acts, clusterId: null, deliveryId: null });
      if (step.is === 'act') {
        acts.push(step.do);
        status = { ...status, ...((await step.perform()).status as JsonObject) };
        continue;
      }
      status = finalStatus({ unit: { definition, delivery: null } as never, judged: step.judged, status, nowMs: ctx.nowMs() });
      expect(brokenStatusRules({ generation, status })).toEqual([]);
      return { status, judged: step.judged as Judged<never>, acts };
    }
  } finally {
    await charts.dispose();
  }
}

export type Files = Readonly<Record<string, string | Buffer>>;

/** Stores files as the artifact of a source and answers the source as it stands in the database. */
export async function storedSource(
  { store, workDir }: ChartParts,
  source: Readonly<{ kind: 'GitRepository' | 'Bucket'; name: string; revision: string }>,
  files: Files,
): Promise<StoredObject> {
  const folder = join(workDir, '..', `source-${source.name}-${Object.keys(files).length}`);
  await mkdir(folder, { recursive: true });
  const staged = await Promise.all(
    Object.entries(files).map(async ([path, content], index) => {
      const file = join(folder, String(index));
      await writeFile(file, content);
      return { path, file };
    }),
  );
  const { digest, sizeBytes } = await store.putFiles({ files: staged, maxBytes: 1e9, maxEntries: 50_000 }, never);
  const artifact = { digest, revision: source.revision, path: 'p', url: 'u', size: sizeBytes, lastUpdateTime: '2026-01-01T00:00:00Z' };
  return storedObject(source.kind, source.name, { status: { artifact } });
}

/** Every file of a stored artifact by its path. */
export async function filesOf({ store }: ChartParts, digest: string): Promise<ReadonlyMap<string, Buffer>> {
  const { path } = await store.open(digest, never);
  const files = new Map<string, Buffer>();
  await readTar(path, { gzip: true, maxBytes: 1e9, maxEntries: 100_000, signal: never }, async (entry) => {
    const chunks: Buffer[] = [];
    for await (const chunk of entry.content) chunks.push(chunk);
    if (!entry.isFolder) files.set(entry.path, Buffer.concat(chunks));
  });
  return files;
}
