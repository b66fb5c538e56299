import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '#core/config.ts';
import { requiredIssuer, sharedStores } from '#core/config-shared.ts';
import { freePort } from '#deploy/local/ports.ts';
import { startProcess } from '#deploy/local/process.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { copiedSources, ignored, lastStage, root } from '#tests/deploy/image-copy.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const children = useChildren();
const dir = useTemporaryDir();
const Text = Type.String();
const Service = Type.Object({
  image: Text,
  user: Text,
  read_only: Type.Boolean(),
  cap_drop: Type.Array(Text),
  security_opt: Type.Array(Text),
  networks: Type.Array(Text),
  environment: Type.Record(Text, Text),
  healthcheck: Type.Object({ test: Type.Array(Text), interval: Text, timeout: Text, retries: Type.Integer() }),
  restart: Text,
  command: Type.Optional(Type.Array(Text)),
  volumes: Type.Optional(Type.Array(Text)),
  ports: Type.Optional(Type.Array(Text)),
  depends_on: Type.Optional(Type.Record(Text, Type.Object({ condition: Text }))),
});
const Compose = Type.Object({
  services: Type.Object({ postgres: Service, redis: Service, weir: Service }),
  networks: Type.Record(Text, Type.Object({ internal: Type.Optional(Type.Boolean()) })),
  volumes: Type.Record(Text, Type.Object({})),
});
const Seccomp = Type.Object({
  defaultAction: Text,
  architectures: Type.Array(Text),
  syscalls: Type.Array(Type.Object({ names: Type.Array(Text), action: Text, args: Type.Optional(Type.Array(Type.Unknown())) })),
});

const text = await readFile(join(root, 'docker-compose.yml'), 'utf8');
const compose: Static<typeof Compose> = Value.Parse(Compose, parse(text));
const services = Object.entries(compose.services);

/** What an engine puts in place of `${NAME}`, `${NAME:-default}` and `${NAME:?message}`; a message means the start fails with it. */
function fill(value: string, env: Readonly<Record<string, string>>): string {
  return value.replaceAll(
    /\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g,
    (_all, name: string, how: string | undefined, rest: string | undefined) => {
      const given = env[name];
      if (given !== undefined && given !== '') return given;
      if (how === '-') return rest ?? '';
      throw new Error(`required variable ${name} is missing a value: ${rest ?? ''}`);
    },
  );
}

function weirEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(compose.services.weir.environment).map(([name, value]) => [name, fill(value, env)]));
}

const wanted = {
  POSTGRES_PASSWORD: 'p0',
  REDIS_PASSWORD: 'r0',
  WEIR_OIDC_ISSUER: 'https://login.example.org',
  WEIR_PLATFORM_ADMIN_GROUP: 'platform',
};

test.each(services)('%s runs without rights, is looked after, and comes back', (_name, service) => {
  expect(service.user).toMatch(/^[1-9][0-9]*:[1-9][0-9]*$/);
  expect(service.read_only).toBe(true);
  expect(service.cap_drop).toEqual(['ALL']);
  expect(service.security_opt).toContain('no-new-privileges:true');
  expect(service.healthcheck.test.length).toBeGreaterThan(1);
  expect(service.restart).toBe('unless-stopped');
});

test('PostgreSQL is one with the fixes that row-level security needs, its data in a named volume', () => {
  const [, major, minor] = /^postgres:([0-9]+)\.([0-9]+)-[a-z]+$/.exec(compose.services.postgres.image) ?? [];
  expect(Number(major) * 100 + Number(minor)).toBeGreaterThanOrEqual(1706);
  expect(compose.services.postgres.volumes).toEqual(['postgres-data:/var/lib/postgresql/data']);
  expect(Object.keys(compose.volumes).toSorted()).toEqual(['postgres-data', 'weir-state']);
});

test('Redis is patched, and its own command starts one that evicts nothing, keeps nothing and takes no call without the password', async () => {
  const [, major, minor, patch] = /^redis:([0-9]+)\.([0-9]+)\.([0-9]+)-[a-z]+$/.exec(compose.services.redis.image) ?? [];
  expect(Number(major) * 10_000 + Number(minor) * 100 + Number(patch)).toBeGreaterThanOrEqual(80_603);
  const { redis } = await loadToolPaths({ only: ['redis'] });
  if (redis === null) throw new Error('this machine has no Redis: run `npm run setup`, it says what is missing');
  const port = await freePort();
  const [shell = '', flags = '', script = ''] = compose.services.redis.command ?? [];
  const here = script
    .replaceAll('$$', '$')
    .replaceAll('/data', dir())
    .replace(/exec redis-server (\S+)/, `exec ${redis.command.join(' ')} $1 --port ${port}`);
  const env = { PATH: process.env['PATH'] ?? '', ...redis.env, REDISCLI_AUTH: 'given-by-a-person' };
  await using running = await startProcess(children, {
    name: 'Redis of the compose file',
    command: `/bin/${shell}`,
    args: [flags, here],
    env,
    cwd: dir(),
    logFile: join(dir(), 'redis.log'),
    ready: async () => (await readFile(join(dir(), 'redis.log'), 'utf8').catch(() => '')).includes('Ready to accept connections'),
    readyTimeoutMs: 20_000,
  });
  expect((await stat(join(dir(), 'redis.conf'))).mode & 0o777).toBe(0o600);
  expect(await readFile(`/proc/${running.pid}/cmdline`, 'utf8')).not.toContain('given-by-a-person');
  const client = new Redis({ port, host: '127.0.0.1', password: 'given-by-a-person', maxRetriesPerRequest: 1 });
  try {
    expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    expect(await client.config('GET', 'save')).toEqual(['save', '']);
    expect(await client.config('GET', 'appendonly')).toEqual(['appendonly', 'no']);
    expect(await firstAnswer(port, 'PING\r\n')).toMatch(/^-NOAUTH/);
  } finally {
    client.disconnect();
  }
});

/** What a server says to somebody who has shown no password. */
async function firstAnswer(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', signal: AbortSignal.timeout(5_000) });
  try {
    socket.write(text);
    const [answer] = await once(socket, 'data');
    return String(answer);
  } finally {
    socket.destroy();
  }
}

test('the stores are reached by Weir alone, and Weir by this machine alone unless one says otherwise', () => {
  expect(compose.networks.stores?.internal).toBe(true);
  expect(compose.services.postgres).not.toHaveProperty('ports');
  expect(compose.services.redis).not.toHaveProperty('ports');
  expect([compose.services.postgres.networks, compose.services.redis.networks]).toEqual([['stores'], ['stores']]);
  expect(compose.services.weir.ports?.map((one) => fill(one, {}))).toEqual(['127.0.0.1:8443:8443']);
  expect(compose.services.weir.depends_on).toEqual({ postgres: { condition: 'service_healthy' }, redis: { condition: 'service_healthy' } });
});

test('no password is committed: each comes from outside, or nothing starts', () => {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#') && /password|requirepass|auth:/i.test(line));
  expect(lines.length).toBeGreaterThanOrEqual(4);
  for (const line of lines) expect(line.replaceAll(/\$\{[A-Z_]+:\?[^}]*\}|\$\$REDISCLI_AUTH/g, '<given>')).toMatch(/<given>|scram-sha-256/);
  for (const name of ['POSTGRES_PASSWORD', 'REDIS_PASSWORD']) expect(() => weirEnvironment({ ...wanted, [name]: '' })).toThrow(name);
});

test('an issuer must be named, and the sentence says what one is', () => {
  expect(() => weirEnvironment({ ...wanted, WEIR_OIDC_ISSUER: '' })).toThrow(
    /WEIR_OIDC_ISSUER is missing a value: set WEIR_OIDC_ISSUER to your identity provider/,
  );
  expect(() => weirEnvironment({ ...wanted, WEIR_PLATFORM_ADMIN_GROUP: '' })).toThrow(/group/);
});

test('Weir understands every variable that it is given', () => {
  const config = readConfig(weirEnvironment(wanted));
  expect(sharedStores(config)).toEqual({ databaseUrl: 'postgres://weir:p0@postgres:5432/weir', redisUrl: 'redis://:r0@redis:6379/0' });
  expect(requiredIssuer(config)).toBe('https://login.example.org');
  expect(config).toMatchObject({
    publicUrl: 'https://localhost:8443',
    platformAdminGroup: 'platform',
    oidcClientId: 'weir-cli',
    sandbox: 'auto',
  });
});

test('the system call filter allows the sandbox and nothing else that a container is denied', async () => {
  expect(compose.services.weir.security_opt).toContain('seccomp=deploy/image/seccomp.json');
  const profile = Value.Parse(Seccomp, JSON.parse(await readFile(join(root, 'deploy/image/seccomp.json'), 'utf8')));
  expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
  expect(profile.architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64']);
  const allowed = new Set(profile.syscalls.filter((one) => one.action === 'SCMP_ACT_ALLOW').flatMap((one) => one.names));
  for (const needed of ['clone', 'unshare', 'mount', 'umount2', 'pivot_root', 'chroot', 'sethostname', 'seccomp', 'prctl', 'execve'])
    expect(allowed).toContain(needed);
  const denied = [
    'bpf',
    'ptrace',
    'process_vm_readv',
    'keyctl',
    'add_key',
    'request_key',
    'userfaultfd',
    'perf_event_open',
    'io_uring_setup',
    'setns',
    'kexec_load',
    'init_module',
    'finit_module',
    'open_by_handle_at',
    'reboot',
    'swapon',
    'acct',
    'settimeofday',
    'syslog',
    'iopl',
    'fsopen',
    'fsmount',
    'move_mount',
    'open_tree',
    'mount_setattr',
    'quotactl',
    'clone3',
  ];
  for (const name of denied) expect(allowed).not.toContain(name);
  const limited = profile.syscalls.filter((one) => one.names.some((name) => name === 'personality' || name === 'socket'));
  expect(limited.every((one) => one.args !== undefined)).toBe(true);
});

test('the image names exact bases, ends as an ordinary user and starts the entry point', async () => {
  const dockerfile = await readFile(join(root, 'deploy/image/Dockerfile'), 'utf8');
  expect([...dockerfile.matchAll(/^ARG [A-Z]+_IMAGE=(\S+)$/gm)].map((one) => one[1])).toEqual([
    expect.stringMatching(/^node:24\.[0-9]+\.[0-9]+-[a-z]+-slim$/),
    expect.stringMatching(/^golang:1\.[0-9]+\.[0-9]+-[a-z]+$/),
  ]);
  const stage = new Map(await lastStage());
  expect(stage.get('USER')).toBe('65532:65532');
  expect(stage.get('USER')).toBe(compose.services.weir.user);
  expect(stage.get('ENTRYPOINT')).toBe('["node", "/app/deploy/image/entrypoint.ts"]');
  expect(await copiedSources()).toEqual(
    expect.arrayContaining(['package.json', 'core', 'kinds', 'adapters', 'services', 'workers', 'deploy']),
  );
});

test('kustomize in the image is built as the pinned one is', async () => {
  const dockerfile = await readFile(join(root, 'deploy/image/Dockerfile'), 'utf8');
  const table = await readFile(join(root, 'tools/binaries.ts'), 'utf8');
  const own = /-X sigs\.k8s\.io\/kustomize\/api\/provenance\.version=v[0-9.]+/;
  expect(own.exec(dockerfile)?.[0]).toBe(own.exec(table)?.[0]);
  for (const flag of [
    '-trimpath',
    '-buildvcs=false',
    '-s -w',
    'CGO_ENABLED=0',
    'GOFLAGS=-mod=readonly',
    'sigs.k8s.io/kustomize/kustomize/v5',
  ])
    expect(dockerfile).toContain(flag);
});

test('what the build is shown covers what it copies', async () => {
  const lines = (await readFile(join(root, '.dockerignore'), 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines[0]).toBe('*');
  for (const source of await copiedSources()) expect(lines).toContain(`!${source}`);
  for (const pattern of ignored) expect(lines).toContain(pattern);
});
