import { execFile } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { expect, test } from 'vitest';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { type CliOptions, type Ran, weir } from '#tests/cli/cli-harness.ts';
import { caOf } from '#tests/cli/plane-access.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';

const api = useApi();
const dir = useTemporaryDir();
const run = promisify(execFile);

async function caFile(): Promise<string> {
  const file = join(dir(), 'plane-ca.crt');
  await writeFile(file, await caOf(api));
  return file;
}

/** Logs in by the device flow, saying yes as that person as soon as the code is shown. */
async function loginByDevice(person: string, options: Partial<CliOptions> = {}): Promise<Ran> {
  const approved: Promise<void>[] = [];
  const onErr = (text: string): void => {
    const code = /enter the code (\S+)/.exec(text)?.[1];
    if (code !== undefined) approved.push(api.oidc.approveDevice(code, person));
  };
  const ran = await weir({ home: dir(), ...options, onErr }, 'login', '--server', api.url, '--ca', await caFile(), '--method', 'device');
  await Promise.all(approved);
  expect(approved).toHaveLength(1);
  return ran;
}

test('the device flow shows address, code and expiry, and writes contexts that kubectl can use', async () => {
  const ran = await loginByDevice('admin');
  expect(ran.code, ran.err).toBe(0);
  expect(ran.err).toMatch(/open https:\/\/\S+ on any device and enter the code \S+/);
  expect(ran.err).toMatch(/the code ends in \d+ min/);
  expect(ran.out).toBe('export FLUX_NS_FOLLOWS_KUBE_CONTEXT=1\n');
  expect(ran.err).toContain('context weir/acme/acme-prod');
  const { kubectl } = await loadToolPaths({ only: ['kubectl'] });
  const env = { HOME: dir(), PATH: process.env['PATH'] };
  const { stdout } = await run(kubectl, ['--context', 'weir/acme/acme', 'get', 'namespaces', '-o', 'name'], { env, timeout: 30_000 });
  expect(stdout.split('\n').filter((line) => line !== '')).toEqual(['namespace/acme', 'namespace/acme-prod']);
});

test('C2: no token is in the configuration, and the file of the fallback is warned about once and closed to others', async () => {
  const first = await loginByDevice('admin');
  expect(first.err).toContain('warning: no keychain is at hand');
  const again = await loginByDevice('admin');
  expect(again.err).not.toContain('keychain');
  const tokens = join(dir(), '.local', 'state', 'weir', 'tokens');
  const [file] = (await readdir(tokens)).filter((name) => name.endsWith('.json'));
  expect((await stat(join(tokens, file ?? ''))).mode & 0o777).toBe(0o600);
  const { token, refreshToken } = JSON.parse(await readFile(join(tokens, file ?? ''), 'utf8'));
  for (const path of ['.config/weir/config.json', '.kube/config']) {
    const text = await readFile(join(dir(), path), 'utf8');
    expect(text).not.toContain(token);
    expect(text).not.toContain(refreshToken);
  }
  const secure = await weir(
    { home: join(dir(), 'other') },
    'login',
    '--server',
    api.url,
    '--ca',
    await caFile(),
    '--method',
    'device',
    '--secure-storage',
  );
  expect([secure.code, secure.err]).toEqual([2, expect.stringContaining('no keychain')]);
});

test('C3: get-token prints an ExecCredential alone, renews in silence, and only once for many processes', async () => {
  await loginByDevice('admin');
  const first = await weir({ home: dir() }, 'get-token');
  expect([first.code, first.err]).toEqual([0, '']);
  const credential = JSON.parse(first.out);
  expect(credential).toEqual({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: expect.any(String), expirationTimestamp: expect.stringMatching(/Z$/) },
  });
  const tokens = join(dir(), '.local', 'state', 'weir', 'tokens');
  const [file = ''] = (await readdir(tokens)).filter((name) => name.endsWith('.json'));
  const stored = JSON.parse(await readFile(join(tokens, file), 'utf8'));
  await writeFile(join(tokens, file), JSON.stringify({ ...stored, expiresAtMs: Date.now() + 20_000 }));
  // Refresh tokens are good once: two refreshes at the same time would end the login.
  const many = await Promise.all(Array.from({ length: 5 }, () => weir({ home: dir() }, 'get-token')));
  expect(many.map((one) => [one.code, one.err])).toEqual(Array.from({ length: 5 }, () => [0, '']));
  expect(new Set(many.map((one) => one.out)).size, 'one refresh for all').toBe(1);
  expect(JSON.parse(many[0]?.out ?? '').status.token).not.toBe(credential.status.token);
});

test('C3: an expired refresh token ends in one line that says weir login, with exit 4', async () => {
  await loginByDevice('admin');
  const tokens = join(dir(), '.local', 'state', 'weir', 'tokens');
  const [file = ''] = (await readdir(tokens)).filter((name) => name.endsWith('.json'));
  const stored = JSON.parse(await readFile(join(tokens, file), 'utf8'));
  await writeFile(join(tokens, file), JSON.stringify({ ...stored, expiresAtMs: 1, refreshToken: 'gone' }));
  const startedMs = performance.now();
  const ran = await weir({ home: dir() }, 'get-token');
  expect(ran.code).toBe(4);
  expect(ran.out).toBe('');
  expect(ran.err).toBe(`error: the login to ${api.url} has expired: run \`weir login --server ${api.url}\`\n`);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

test('H6: the browser flow takes the code only at its own loopback address with its own state', async () => {
  const agent = new Agent({ connect: { ca: await caOf(api) } });
  const visited: Promise<void>[] = [];
  const onErr = (text: string): void => {
    const url = /^\s+(https:\S+)/.exec(text)?.[1];
    if (url !== undefined) visited.push(visit(url, agent));
  };
  const ran = await weir(
    { home: dir(), onErr, variables: { BROWSER: '/bin/true' } },
    'login',
    '--server',
    api.url,
    '--ca',
    await caFile(),
    '--method',
    'browser',
  );
  await Promise.all(visited);
  await agent.destroy();
  expect(ran.code, ran.err).toBe(0);
  expect(ran.err).toContain('context weir/acme/acme');
});

/** What a browser does with the login page, after an attacker's tries at the loopback address. */
async function visit(authorize: string, agent: Agent): Promise<void> {
  const asked = new URL(authorize).searchParams;
  expect(asked.get('code_challenge_method')).toBe('S256');
  const redirect = asked.get('redirect_uri') ?? '';
  expect(redirect).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  const tries = [
    `${redirect}?code=evil&state=wrong`,
    `${redirect}?code=evil`,
    `${redirect}/?code=evil&state=${asked.get('state') ?? ''}`,
    redirect.replace('/callback', '/%63allback'),
    redirect.replace('/callback', '//callback'),
    redirect.replace('/callback', '/'),
  ];
  for (const url of tries) expect([url, (await request(url)).statusCode]).toEqual([url, 404]);
  const posted = await request(`${redirect}?code=evil&state=${asked.get('state') ?? ''}`, { method: 'POST' });
  expect(posted.statusCode).toBe(404);
  let page = await request(authorize, { dispatcher: agent });
  const cookies = new Map<string, string>();
  let url = authorize;
  for (let step = 0; step < 10; step += 1) {
    for (const line of [page.headers['set-cookie'] ?? []].flat()) cookies.set(line.split('=')[0] ?? '', line.split(';')[0] ?? '');
    await page.body.dump();
    const location = page.headers.location;
    if (typeof location !== 'string') break;
    url = new URL(location, url).href;
    if (url.startsWith(redirect)) {
      expect((await request(url)).statusCode).toBe(200);
      return;
    }
    const headers = { cookie: [...cookies.values()].join('; '), 'content-type': 'application/x-www-form-urlencoded' };
    page = url.includes('/demo-login/')
      ? await request(url, { dispatcher: agent, method: 'POST', body: 'user=admin', headers })
      : await request(url, { dispatcher: agent, headers });
  }
  throw new Error(`the login ended at ${url}`);
}

test('a token of another issuer is no login: nothing is kept', async () => {
  const token = await api.oidc.signToken({
    iss: 'https://elsewhere.invalid',
    aud: 'weir-cli',
    sub: 'admin',
    exp: Math.floor(Date.now() / 1_000) + 600,
  });
  const ran = await weir({ home: dir(), input: token }, 'login', '--server', api.url, '--ca', await caFile(), '--method', 'token');
  expect(ran.code).toBe(4);
  await expect(stat(join(dir(), '.config', 'weir', 'config.json'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('logout removes the login and its contexts, and leaves the rest of the kubeconfig alone', async () => {
  await writeFile(
    join(dir(), 'kubeconfig'),
    '# mine\napiVersion: v1\nkind: Config\nclusters:\n  - name: other\n    cluster: {server: "https://other.invalid"}\nusers: []\ncontexts: []\ncurrent-context: ""\n',
  );
  const variables = { KUBECONFIG: join(dir(), 'kubeconfig') };
  await loginByDevice('admin', { variables });
  expect(await readFile(join(dir(), 'kubeconfig'), 'utf8')).toContain('weir/acme/acme');
  const who = await weir({ home: dir(), variables }, 'whoami', '-o', 'json');
  expect(JSON.parse(who.out)).toMatchObject({ subject: 'admin', tenants: ['acme'], namespaces: ['acme', 'acme-prod'] });
  expect((await weir({ home: dir(), variables }, 'use', 'acme/acme-prod')).code).toBe(0);
  expect(await readFile(join(dir(), 'kubeconfig'), 'utf8')).toMatch(/current-context: "?weir\/acme\/acme-prod/);
  expect((await weir({ home: dir(), variables }, 'logout')).code).toBe(0);
  const left = await readFile(join(dir(), 'kubeconfig'), 'utf8');
  expect(left).toContain('# mine');
  expect(left).toContain('https://other.invalid');
  expect(left).not.toContain('weir');
  expect((await weir({ home: dir(), variables }, 'get', 'tenants')).code).toBe(4);
});
