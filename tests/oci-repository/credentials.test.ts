import { expect, test } from 'vitest';
import { issueCertificate } from '#adapters/x509/issue.ts';
import type { JsonObject } from '#core/json.ts';
import { startFront } from './front.ts';
import { useScene } from './scene.ts';

const scene = useScene('oci-login');
const CANARY = 'canary-7f3b';
const config = (host: string, username: string, password: string): string => JSON.stringify({ auths: { [host]: { username, password } } });
const direct = (): string => `oci://${scene.registry().host}/team/app`;

async function pushed(): Promise<void> {
  await scene.push('team/app', 'latest', { 'a.yaml': 'a: 1' });
}

test('a registry with a login: dockerconfigjson, basic, pull secrets of an account; without or with a wrong one it is refused', async () => {
  await pushed();
  const { host, username, password } = scene.registry();
  const secrets = {
    docker: await scene.secret('docker', { '.dockerconfigjson': config(host, username, password) }),
    basic: await scene.secret('basic', { username, password }),
    wrong: await scene.secret('wrong', { '.dockerconfigjson': config(host, username, CANARY) }),
    other: await scene.secret('other', { '.dockerconfigjson': config('127.0.0.1:1', username, CANARY) }),
  };
  const account = `${scene.app.id}-puller`;
  const imagePullSecrets = [{ name: secrets.other }, { name: secrets.docker }];
  await scene.app.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace: 'team-a' }, imagePullSecrets });
  const good: Readonly<Record<string, JsonObject>> = {
    docker: { secretRef: { name: secrets.docker } },
    basic: { secretRef: { name: secrets.basic } },
    account: { serviceAccountName: account },
    both: { secretRef: { name: secrets.other }, serviceAccountName: account },
  };
  for (const [name, spec] of Object.entries(good))
    await scene.settled(await scene.source(name, { url: direct(), ...spec }), 'True', 'Succeeded');
  const bad: Readonly<Record<string, JsonObject>> = {
    wrong: { secretRef: { name: secrets.wrong } },
    other: { secretRef: { name: secrets.other } },
    nobody: {},
  };
  for (const [name, spec] of Object.entries(bad)) {
    const source = await scene.source(`bad-${name}`, { url: direct(), ...spec });
    expect(await scene.settled(source, 'False', 'AuthenticationFailed')).toContain(host);
    expect(JSON.stringify(await scene.status(source))).not.toContain(CANARY);
  }
});

test('a registry that hands out tokens gets the login at its token service only, and the token with each request', async () => {
  await pushed();
  const front = await startFront(scene.authority(), scene.registry(), { logsIn: true });
  try {
    const { username, password } = scene.registry();
    const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    front.handle((request, response) => {
      if (request.url?.startsWith('/token') === true) {
        if (request.headers.authorization !== basic) response.writeHead(401).end();
        else response.end(JSON.stringify({ token: 'tok-1', expires_in: 300 }));
        return true;
      }
      if (request.headers.authorization === 'Bearer tok-1') return false;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="https://${front.host}/token",service="local"` }).end();
      return true;
    });
    const secret = await scene.secret('token', { '.dockerconfigjson': config(front.host, username, password) });
    const source = await scene.source('token', { url: `oci://${front.host}/team/app`, secretRef: { name: secret } });
    await scene.settled(source, 'True', 'Succeeded');
    const withLogin = front.seen.filter(({ authorization }) => authorization?.startsWith('Basic') === true);
    expect(withLogin.map(({ path }) => path)).toEqual(['/token?service=local&scope=repository%3Ateam%2Fapp%3Apull']);
    const wrong = await scene.secret('no-token', { '.dockerconfigjson': config(front.host, username, CANARY) });
    const refused = await scene.source('no-token', { url: `oci://${front.host}/team/app`, secretRef: { name: wrong } });
    await scene.settled(refused, 'False', 'AuthenticationFailed');
    expect(JSON.stringify(await scene.status(refused))).not.toContain(CANARY);
  } finally {
    await front.close();
  }
});

test('B10: a stranger named as token service, or by a redirect, never sees the login', async () => {
  await pushed();
  const stranger = await startFront(scene.authority(), scene.registry());
  const front = await startFront(scene.authority(), scene.registry(), { logsIn: true });
  try {
    const secret = await scene.secret('lured', { '.dockerconfigjson': config(front.host, 'u', CANARY) });
    const spec = { url: `oci://${front.host}/team/app`, secretRef: { name: secret } };
    front.handle((_request, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="https://${stranger.host}/token"` }).end();
      return true;
    });
    const source = await scene.source('lured', spec);
    expect(await scene.settled(source, 'False', 'AccessDenied')).toContain(stranger.host);
    expect(stranger.seen).toEqual([]);
    stranger.handle((_request, response) => {
      response.end('x');
      return true;
    });
    front.handle((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      else if (request.url?.includes('/blobs/') === true) response.writeHead(307, { location: `https://${stranger.host}/stolen` }).end();
      else return false;
      return true;
    });
    const redirected = await scene.source('redirected', spec);
    await scene.settled(redirected, 'False', 'OCIArtifactLayerOperationFailed');
    expect(stranger.seen.length).toBeGreaterThan(0);
    expect(stranger.seen.map(({ authorization }) => authorization)).toEqual(stranger.seen.map(() => undefined));
    expect(JSON.stringify(await scene.status(redirected))).not.toContain(CANARY);
  } finally {
    await Promise.all([front.close(), stranger.close()]);
  }
});

test('a registry that wants a client certificate gets that of certSecretRef', async () => {
  await pushed();
  const authority = scene.authority();
  const front = await startFront(authority, scene.registry(), { logsIn: true, wantsClient: true });
  try {
    const request = { commonName: 'weir', usage: 'client', validMs: 86_400_000, nowMs: Date.now() } as const;
    const { certificatePem, keyPem } = await issueCertificate(authority, request);
    const both = { 'ca.crt': authority.certificatePem, 'tls.crt': certificatePem, 'tls.key': keyPem };
    const secret = await scene.secret('mtls', both);
    const url = `oci://${front.host}/team/app`;
    const source = await scene.source('mtls', { url, certSecretRef: { name: secret } });
    await scene.settled(source, 'True', 'Succeeded');
    expect(front.seen.every(({ isClientKnown }) => isClientKnown)).toBe(true);
    await scene.settled(await scene.source('no-mtls', { url }), 'False', 'OCIArtifactPullFailed');
    const half = await scene.secret('half', { 'tls.crt': certificatePem });
    const broken = await scene.source('half', { url, certSecretRef: { name: half } });
    expect(await scene.settled(broken, 'False', 'AuthenticationFailed')).toContain('needs tls.crt and tls.key together');
  } finally {
    await front.close();
  }
});
