import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { afterAll, beforeAll } from 'vitest';
import { brokenStatusRules, conditionOf, isReady } from '#core/conditions.ts';
import { readConfig } from '#core/config.ts';
import { noFailpoints } from '#core/failpoints.ts';
import type { Job } from '#core/job.ts';
import { isObject, type JsonObject, at as jsonAt } from '#core/json.ts';
import { silentLog } from '#core/log.ts';
import { runUnit } from '#core/reconcile/run.ts';
import type { RunResult } from '#core/reconcile/runtime.ts';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type GitServer, startGitServer } from '#deploy/local/git-server.ts';
import { freePort } from '#deploy/local/ports.ts';
import { type RegistryServer, startRegistry } from '#deploy/local/registry.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { type Api, type Person, useApi } from '#tests/contract/api.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';
import { FLUX_LAYER, openPusher } from '#tests/oci/push.ts';
import { drainAll, useScheduler } from '#tests/postgres/scheduler.ts';
import { bindPorts } from '#workers/bind.ts';
import { type OpenedAdapters, openAdapters } from '#workers/open-adapters.ts';
import { runnables } from '#workers/runnables.ts';

type Outcome = Readonly<{ status: string; reason: string; message: string; stalled: boolean }>;

/** A plane with a real registry and a real git server, whose image and source units run when the test says so. */
export type ImageStage = Readonly<{
  api: Api;
  registry(): RegistryServer;
  git(): GitServer;
  caPem(): string;
  /** `127.0.0.1:<port>` of plain http that the plane allows; nobody listens there until a test does. */
  httpHost(): string;
  /** Pushes an image of its own content under a tag; answers its digest. */
  push(repository: string, tag: string, content?: string): Promise<string>;
  create(
    kind: string,
    name: string,
    spec: JsonObject,
    more?: Readonly<{ namespace?: string; as?: Person; labels?: JsonObject; annotations?: JsonObject }>,
  ): Promise<void>;
  patch(kind: string, name: string, patch: JsonObject, namespace?: string): Promise<void>;
  remove(kind: string, name: string): Promise<void>;
  get(kind: string, name: string, namespace?: string): Promise<JsonObject>;
  secret(name: string, values: Readonly<Record<string, string>>, namespace?: string): Promise<void>;
  /** Secret with the login and the authority of the registry: `registry-login`, `registry-ca`. */
  logins(namespace?: string): Promise<void>;
  /** What a worker does with a job, whoever put it into the queue. */
  run(job: Job): Promise<RunResult>;
  /** Runs every due unit, relays who is woken, until nothing is due. Answers the kinds and names that ran, in order. */
  settle(concurrency?: number): Promise<readonly string[]>;
  /** Makes a unit due, as its interval does. */
  due(kind: string, name: string): Promise<void>;
  ready(kind: string, name: string, namespace?: string): Promise<Outcome>;
  adapters(): OpenedAdapters;
}>;

/** As long as a test may take. */
const SETTLE_MS = 120_000;

const GROUPS: Readonly<Record<string, readonly [string, string]>> = Object.freeze({
  ImageRepository: ['image.toolkit.fluxcd.io', 'imagerepositories'],
  ImagePolicy: ['image.toolkit.fluxcd.io', 'imagepolicies'],
  ImageUpdateAutomation: ['image.toolkit.fluxcd.io', 'imageupdateautomations'],
  GitRepository: ['source.toolkit.fluxcd.io', 'gitrepositories'],
  PullRequestPolicy: ['weir.dev', 'pullrequestpolicies'],
});

export function useImageStage(): ImageStage {
  const api = useApi();
  const scheduler = useScheduler(api.plane);
  const children = useChildren('file');
  const dir = useTemporaryDir('file');
  const at: {
    registry: RegistryServer;
    git: GitServer;
    caPem: string;
    httpHost: string;
    opened: OpenedAdapters;
    pusher: ReturnType<typeof openPusher>;
  } = Object.create(null);
  beforeAll(async () => {
    const tools = await loadToolPaths({ only: ['registry', 'kustomize'] });
    if (tools.registry === null) throw new Error('docker-registry is not there: `apt-get install docker-registry` brings it');
    const authority = await openLocalAuthority(join(dir(), 'ca'), 'image tests');
    at.caPem = authority.certificatePem;
    at.registry = await startRegistry(children, { dir: join(dir(), 'registry'), program: tools.registry, authority });
    at.git = await startGitServer(children, { dir: join(dir(), 'git'), authority });
    at.httpHost = `127.0.0.1:${await freePort()}`;
    at.pusher = openPusher({ ...at.registry, caPem: at.caPem });
    const config = readConfig({
      WEIR_STATE_DIR: join(dir(), 'state'),
      WEIR_EGRESS_ALLOW: '127.0.0.0/8',
      WEIR_ALLOW_HTTP_HOSTS: at.httpHost,
      WEIR_SANDBOX: 'weak',
    });
    at.opened = await openAdapters({
      config,
      worker: 'image-test',
      version: '0.0.0',
      db: api.plane.db,
      keys: api.keys,
      clock: api.clock,
      log: silentLog,
      failpoints: noFailpoints,
      kustomize: tools.kustomize,
      helm: null,
      helmInside: null,
      bwrap: null,
    });
  });
  afterAll(async () => {
    await at.pusher?.close();
    await at.git?.stop();
    await at.registry?.stop();
    await at.opened?.close();
  });
  const path = (kind: string, namespace: string): string => {
    const [group, plural] = GROUPS[kind] ?? ['', ''];
    return `/apis/${group}/v1/namespaces/${namespace}/${plural}`;
  };
  const run: ImageStage['run'] = (job) =>
    runUnit(
      {
        store: at.opened.adapters.store,
        runnables,
        bind: bindPorts(at.opened.adapters),
        clock: api.clock,
        log: silentLog,
        failpoints: noFailpoints,
        leaseMs: 15_000,
        released: () => undefined,
        worker: 'image-test',
      },
      job,
      new AbortController().signal,
    );
  const secret: ImageStage['secret'] = async (name, stringData, namespace = 'acme') =>
    void (await api.must('admin', `/api/v1/namespaces/${namespace}/secrets`, {
      method: 'POST',
      body: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData },
    }));
  const get: ImageStage['get'] = (kind, name, namespace = 'acme') => api.must('admin', `${path(kind, namespace)}/${name}`);
  return {
    api,
    registry: () => at.registry,
    git: () => at.git,
    caPem: () => at.caPem,
    httpHost: () => at.httpHost,
    adapters: () => at.opened,
    push: async (repository, tag, content = tag) =>
      (await at.pusher.push(repository, tag, [{ mediaType: FLUX_LAYER, bytes: Buffer.from(content) }])).digest,
    create: async (kind, name, spec, { namespace = 'acme', as = 'admin', labels = {}, annotations = {} } = {}) => {
      const [group] = GROUPS[kind] ?? [''];
      const body = { apiVersion: `${group}/v1`, kind, metadata: { name, namespace, labels, annotations }, spec };
      await api.must(as, path(kind, namespace), { method: 'POST', body });
    },
    patch: async (kind, name, patch, namespace = 'acme') =>
      void (await api.must('admin', `${path(kind, namespace)}/${name}`, { method: 'PATCH', body: patch })),
    remove: async (kind, name) => void (await api.must('admin', `${path(kind, 'acme')}/${name}`, { method: 'DELETE' })),
    get,
    secret,
    logins: async (namespace = 'acme') => {
      const { host, username, password } = at.registry;
      await secret('registry-login', { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username, password } } }) }, namespace);
      await secret('registry-ca', { 'ca.crt': at.caPem }, namespace);
    },
    run,
    settle: async (concurrency = 1) => {
      const ran: string[] = [];
      const endMs = Date.now() + SETTLE_MS;
      while (Date.now() < endMs) {
        const before = ran.length;
        await drainAll(scheduler.db);
        const due = await api.plane.ask(
          `select w.tenant_id::text as t, w.kind as k, w.unit_id::text as u, o.name as n from weir.work w join weir.objects o on o.uid = w.unit_id where w.due_at <= clock_timestamp() order by w.due_at`,
        );
        if (due.length === 0) return ran;
        const limit = pLimit(concurrency);
        const runs = due.map((row) =>
          limit(async () => {
            const job = { tenantId: String(row['t']), kind: String(row['k']), id: String(row['u']) };
            if ((await run(job)) === 'done') ran.push(`${job.kind}/${String(row['n'])}`);
          }),
        );
        await Promise.all(runs);
        // What another loop of the test has in hand is due until its run is written up.
        if (ran.length === before) await sleep(20);
      }
      throw new Error('there is always something due');
    },
    due: async (kind, name) =>
      void (await api.plane.ask(
        `update weir.work w set due_at = clock_timestamp(), trigger_no = trigger_no + 1 from weir.objects o where o.uid = w.unit_id and o.kind = $1 and o.name = $2`,
        [kind, name],
      )),
    ready: async (kind, name, namespace = 'acme') => {
      const object = await get(kind, name, namespace);
      const status = isObject(object['status']) ? object['status'] : null;
      const generation = Number(jsonAt(object, 'metadata', 'generation'));
      const broken = brokenStatusRules({ generation, status });
      if (broken.length > 0) throw new Error(`${kind}/${name}: ${broken.join(', ')}`);
      const ready = conditionOf(status, 'Ready');
      const stalled = conditionOf(status, 'Stalled') !== null;
      if (ready?.status === 'True' && !isReady({ generation, status })) throw new Error(`${kind}/${name} is ready for an older generation`);
      return { status: ready?.status ?? '', reason: ready?.reason ?? '', message: ready?.message ?? '', stalled };
    },
  };
}
