import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { afterAll, beforeAll, expect } from 'vitest';
import { readConditions } from '#core/conditions.ts';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { type LocalAuthority, openLocalAuthority } from '#deploy/local/certificates.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { type App, useApp } from '#tests/kustomization/app.ts';
import { FLUX_LAYER, openPusher, type PushedManifest, type Pusher } from '#tests/oci/push.ts';
import { type Front, startFront } from './front.ts';

export const SOURCE = 'source.toolkit.fluxcd.io/v1';
const WAIT_MS = 20_000;

/** A real registry with a front before it, and OCIRepositories of team-a in the shared demo that look at them. */
export type Scene = Readonly<{
  app: App;
  authority(): LocalAuthority;
  registry(): RegistryServer;
  pusher(): Pusher;
  /** Logs in at the registry by itself: whoever comes is let in, and seen. */
  front(): Front;
  /** Pushes one flux-style layer of these files. */
  push(
    repository: string,
    tag: string,
    files: Readonly<Record<string, string>>,
    annotations?: Readonly<Record<string, string>>,
  ): Promise<PushedManifest>;
  secret(name: string, values: Readonly<Record<string, string>>): Promise<string>;
  /** Creates an OCIRepository behind the front, with the authority's certificate; answers its full name. */
  source(name: string, spec: JsonObject): Promise<string>;
  status(name: string): Promise<JsonObject>;
  condition(name: string, type: string): Promise<Readonly<{ status: string; reason: string; message: string }> | null>;
  /** Waits for Ready of the current generation, and answers its message. */
  settled(name: string, status: 'True' | 'False', reason: string, timeoutMs?: number): Promise<string>;
  /** Asks for a run and waits until it ended. */
  again(name: string, timeoutMs?: number): Promise<void>;
}>;

export function useScene(prefix: string): Scene {
  const children = useChildren('file');
  const folder = useTemporaryDir('file');
  const app = useApp(prefix);
  const parts: { authority?: LocalAuthority; registry?: RegistryServer; pusher?: Pusher; front?: Front } = {};
  beforeAll(async () => {
    const { registry: program } = await loadToolPaths({ only: ['registry'] });
    if (program === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
    const authority = await openLocalAuthority(join(folder(), 'ca'), 'OCI tests');
    const registry = await startRegistry(children, { dir: join(folder(), 'registry'), program, authority });
    const front = await startFront(authority, registry, { logsIn: true });
    const pusher = openPusher({ ...registry, caPem: authority.certificatePem });
    Object.assign(parts, { authority, registry, front, pusher });
    await app.create(secretOf(`${app.id}-ca`, { 'ca.crt': authority.certificatePem }));
  });
  afterAll(async () => {
    await parts.pusher?.close();
    await parts.front?.close();
    await parts.registry?.stop();
  });
  const part = <K extends keyof typeof parts>(name: K): NonNullable<(typeof parts)[K]> => {
    const found = parts[name];
    if (found === undefined) throw new Error(`${name} is not started yet`);
    return found;
  };
  const object = async (name: string): Promise<JsonObject> => (await app.get('OCIRepository', name)).body;
  const status = async (name: string): Promise<JsonObject> => {
    const found = at(await object(name), 'status');
    return isObject(found) ? found : {};
  };
  const conditionOf = async (name: string, type: string) => readConditions(await status(name)).find((one) => one.type === type) ?? null;
  return Object.freeze({
    app,
    authority: () => part('authority'),
    registry: () => part('registry'),
    pusher: () => part('pusher'),
    front: () => part('front'),
    push: (repository, tag, files, annotations = {}) =>
      part('pusher').push(repository, tag, [{ mediaType: FLUX_LAYER, bytes: tarGz(files) }], annotations),
    secret: async (name, values) => {
      await app.create(secretOf(`${app.id}-${name}`, values));
      return `${app.id}-${name}`;
    },
    source: async (name, spec) => {
      const full = `${app.id}-${name}`;
      const base = { interval: '10m', timeout: '10s', certSecretRef: { name: `${app.id}-ca` } };
      await app.create({
        apiVersion: SOURCE,
        kind: 'OCIRepository',
        metadata: { name: full, namespace: 'team-a' },
        spec: { ...base, ...spec },
      });
      return full;
    },
    status,
    condition: conditionOf,
    settled: async (name, wanted, reason, timeoutMs = WAIT_MS) => {
      // The message of the very answer that fits: a moment later a retry may be at work.
      const last = { message: '' };
      const now = async () => {
        const [found, ready] = [await object(name), await conditionOf(name, 'Ready')];
        last.message = ready?.message ?? '';
        return ready?.observedGeneration === at(found, 'metadata', 'generation') ? ready : null;
      };
      await expect.poll(now, { timeout: timeoutMs }).toMatchObject({ status: wanted, reason });
      return last.message;
    },
    again: async (name, timeoutMs = WAIT_MS) => {
      const asked = `${Date.now()}-${Math.random()}`;
      await app.patch('OCIRepository', name, { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': asked } } });
      await expect.poll(async () => textAt(await status(name), 'lastHandledReconcileAt'), { timeout: timeoutMs }).toBe(asked);
    },
  } satisfies Scene);
}

function secretOf(name: string, values: Readonly<Record<string, string>>): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'team-a' }, stringData: values };
}

/** A tar+gzip of plain files, and whatever raw blocks come before them. */
export function tarGz(files: Readonly<Record<string, string>>, before: readonly Buffer[] = []): Buffer {
  return gzipSync(
    Buffer.concat([...before, ...Object.entries(files).map(([path, body]) => tarEntry({ path, body })), Buffer.alloc(1_024)]),
  );
}

export function tarEntry({
  path,
  body = '',
  type = 'File',
  linkpath,
}: Readonly<{ path: string; body?: string; type?: Header['type']; linkpath?: string }>): Buffer {
  const bytes = Buffer.from(body);
  const header = new Header({
    path,
    type,
    mode: 0o644,
    size: bytes.length,
    mtime: new Date(0),
    ...(linkpath === undefined ? {} : { linkpath }),
  });
  const block = Buffer.alloc(512);
  header.encode(block);
  return Buffer.concat([block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
