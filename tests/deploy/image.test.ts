import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLocalAuthority } from '#deploy/local/certificates.ts';
import { type OidcServer, startOidcServer } from '#deploy/local/oidc.ts';
import { freePort } from '#deploy/local/ports.ts';
import { type PostgresServer, startPostgres } from '#deploy/local/postgres.ts';
import { type RunningProcess, runProcess, startProcess } from '#deploy/local/process.ts';
import { type RedisServer, startRedis } from '#deploy/local/redis.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { layOutImage } from '#tests/deploy/image-copy.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren('file');
const dir = useTemporaryDir('file');
const readyMs = 120_000;

type World = {
  app: string;
  postgres: PostgresServer;
  redis: RedisServer;
  oidc: OidcServer;
  kustomize: string;
  helm: string;
  helmInside: string;
  oidcCa: string;
};
const world: World = Object.create(null);

beforeAll(async () => {
  const { redis, kustomize, helm, helmInside } = await loadToolPaths({ only: ['redis', 'kustomize', 'helm', 'helmInside'] });
  if (redis === null) throw new Error('this machine has no Redis: run `npm run setup`, it says what is missing');
  const authority = await openLocalAuthority(join(dir(), 'issuer'), 'issuer CA');
  world.kustomize = kustomize;
  world.helm = helm;
  world.helmInside = helmInside;
  world.oidcCa = authority.certificateFile;
  world.app = await layOutImage(dir());
  world.postgres = await startPostgres(children, { dir: join(dir(), 'postgres'), fsync: false });
  world.redis = await startRedis(children, { dir: join(dir(), 'redis'), program: redis });
  world.oidc = await startOidcServer({ authority, users: [{ id: 'pat', name: 'Pat', email: 'pat@demo.invalid', groups: ['platform'] }] });
});
afterAll(async () => {
  await world.oidc?.stop();
  await world.redis?.stop();
  await world.postgres?.stop();
});

/** The environment that docker-compose.yml and the image give, with addresses of this test. */
function environment(port: number): Readonly<Record<string, string>> {
  return {
    PATH: process.env['PATH'] ?? '',
    NODE_ENV: 'production',
    WEIR_STATE_DIR: join(dir(), 'state'),
    WEIR_LISTEN: '127.0.0.1',
    WEIR_PORT: String(port),
    WEIR_KUSTOMIZE: world.kustomize,
    WEIR_HELM: world.helm,
    WEIR_HELM_INSIDE: world.helmInside,
    WEIR_DATABASE_URL: world.postgres.superuserUrl,
    WEIR_DATABASE_APP_PASSWORD: 'app-password-of-the-image-test',
    WEIR_DATABASE_SCHEDULER_PASSWORD: 'scheduler-password-of-the-image-test',
    WEIR_REDIS_URL: world.redis.url,
    WEIR_OIDC_ISSUER: world.oidc.issuer,
    WEIR_OIDC_CA_FILE: world.oidcCa,
    WEIR_PLATFORM_ADMIN_GROUP: 'platform',
    WEIR_EGRESS_ALLOW: '127.0.0.0/8',
    WEIR_PUBLIC_URL: `https://localhost:${port}`,
  };
}

function spec(part: string, env: Readonly<Record<string, string>>) {
  return {
    name: part,
    command: process.execPath,
    args: [join(world.app, 'deploy/image/entrypoint.ts'), part],
    env,
    cwd: world.app,
    logFile: join(dir(), `${part}.log`),
    lastSignal: 'SIGTERM',
  } as const;
}

/** Runs a part until it has said that it runs. */
async function start(part: string, env: Readonly<Record<string, string>>): Promise<RunningProcess> {
  const said = async (): Promise<boolean> =>
    /^Weir (API|scheduler|worker|listens)/m.test(await readFile(join(dir(), `${part}.log`), 'utf8').catch(() => ''));
  return await startProcess(children, { ...spec(part, env), ready: said, readyTimeoutMs: readyMs });
}

async function ask(
  port: number,
  path: string,
  options: Readonly<{ token?: string; body?: unknown }> = {},
): Promise<Readonly<{ status: number; body: string }>> {
  const agent = new Agent({ connect: { ca: await readFile(join(dir(), 'state/ca/ca.crt'), 'utf8') } });
  try {
    const answer = await request(`https://localhost:${port}${path}`, {
      dispatcher: agent,
      method: options.body === undefined ? 'GET' : 'POST',
      headers: { ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }), 'content-type': 'application/json' },
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal: AbortSignal.timeout(15_000),
    });
    return { status: answer.statusCode, body: await answer.body.text() };
  } finally {
    await agent.destroy();
  }
}

test('the default part is the whole plane: ready, healthy for the engine, and gone at SIGTERM', { timeout: 240_000 }, async () => {
  const port = await freePort();
  const env = environment(port);
  const plane = await start('all', env);
  expect(await ask(port, '/readyz')).toEqual({ status: 200, body: 'ok' });
  const verbose = (await ask(port, '/readyz?verbose')).body;
  expect(verbose).toMatch(/\]queue ok: redis/);
  expect(verbose).toMatch(/\]sandbox ok/);
  await runProcess(
    children,
    { ...spec('all', env), name: 'health check', args: [join(world.app, 'deploy/image/ready.ts')], logFile: join(dir(), 'ready.log') },
    30_000,
  );
  expect(await plane.stop('SIGTERM', 30_000)).toEqual({ code: 0, signal: null });
  await expect(
    runProcess(
      children,
      { ...spec('all', env), name: 'health check', args: [join(world.app, 'deploy/image/ready.ts')], logFile: join(dir(), 'gone.log') },
      30_000,
    ),
  ).rejects.toThrow(/not ready/);
});

test('without an issuer nothing starts, and the sentence names the variable; an unknown part is told the known ones', {
  timeout: 120_000,
}, async () => {
  const { WEIR_OIDC_ISSUER: _issuer, ...without } = environment(1);
  await expect(runProcess(children, { ...spec('all', without), logFile: join(dir(), 'no-issuer.log') }, 60_000)).rejects.toThrow(
    /exit code 1[\s\S]*WEIR_OIDC_ISSUER must be set/,
  );
  const { WEIR_REDIS_URL: _redis, WEIR_DATABASE_URL: _database, ...storeless } = environment(1);
  await expect(runProcess(children, { ...spec('scheduler', storeless), logFile: join(dir(), 'no-stores.log') }, 60_000)).rejects.toThrow(
    /WEIR_DATABASE_URL must be set[\s\S]*WEIR_REDIS_URL must be set/,
  );
  await expect(runProcess(children, spec('worker-nothing', without), 60_000)).rejects.toThrow(/exit code 2[\s\S]*worker-source/);
});

test('each part runs alone: what the API takes, the scheduler hands to a worker, and its status comes back', {
  timeout: 300_000,
}, async () => {
  const port = await freePort();
  const env = environment(port);
  await runProcess(children, spec('migrate', env), 60_000);
  const names = [
    'api',
    'scheduler',
    'worker-source',
    'worker-kustomize',
    'worker-helm',
    'worker-image',
    'worker-notification',
    'worker-fleet',
  ];
  const running: RunningProcess[] = [];
  for (const name of names) running.push(await start(name, env));
  expect((await ask(port, '/readyz')).status).toBe(200);

  const { id_token: token } = await world.oidc.loginAs('pat');
  const tenant = {
    apiVersion: 'weir.dev/v1',
    kind: 'Tenant',
    metadata: { name: 'team-a' },
    spec: { namespaces: { names: ['team-a'] }, members: [{ subject: 'pat', role: 'admin' }] },
  };
  const made = await ask(port, '/apis/weir.dev/v1/tenants', { token, body: tenant });
  expect(made.body).toContain('"kind":"Tenant"');
  expect(made.status).toBe(201);
  expect(
    (await ask(port, '/api/v1/namespaces', { token, body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } } })).status,
  ).toBe(201);
  const source = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: 'apps', namespace: 'team-a' },
    spec: { url: 'https://127.0.0.1:1/apps.git', interval: '10m' },
  };
  const path = '/apis/source.toolkit.fluxcd.io/v1/namespaces/team-a/gitrepositories';
  expect((await ask(port, path, { token, body: source })).status).toBe(201);
  // Nobody listens there: the worker says so in the status.
  await expect
    .poll(async () => (await ask(port, `${path}/apps`, { token })).body, { timeout: 60_000, interval: 250 })
    .toMatch(/"type":"Ready","status":"False"|"status":"False"[^}]*"type":"Ready"/);

  for (const one of running.reverse()) expect(await one.stop('SIGTERM', 30_000)).toEqual({ code: 0, signal: null });
});
