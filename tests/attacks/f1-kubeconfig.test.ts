import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { createClusters } from '#adapters/kube/clusters.ts';
import { parseKubeconfig } from '#adapters/kube/kubeconfig.ts';
import { createAuthority, issueCertificate } from '#adapters/x509/issue.ts';
import { silentLog } from '#core/log.ts';
import { scopeOfJob } from '#core/tenant.ts';
import { systemClock } from '#core/time.ts';
import { apply, bindFor, clustersFor, configMap, item, never, onboard } from '#tests/cluster/tenant.ts';
import { testCluster } from '#tests/harness/parts.ts';

type Parts = Readonly<{
  cluster?: object;
  user?: object;
  context?: object;
  top?: object;
  clusterEntry?: object;
  userEntry?: object;
  replaceUser?: object;
}>;
const token = 'eyJhbGciOiJSUzI1NiJ9.a-token-of-a-tenant.signature';
const nowMs = Date.now();
const authority = await createAuthority({ commonName: 'tenant CA', validMs: 86_400_000, nowMs });
const client = await issueCertificate(authority, { commonName: 'tenant', usage: 'client', validMs: 86_400_000, nowMs });
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

function kubeconfig(parts: Parts = {}): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [
      {
        name: 'k',
        cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': base64(authority.certificatePem), ...parts.cluster },
        ...parts.clusterEntry,
      },
    ],
    users: [{ name: 'u', user: parts.replaceUser ?? { token, ...parts.user }, ...parts.userEntry }],
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'apps', ...parts.context } }],
    ...parts.top,
  });
}

test('F1 twin: a kubeconfig with address, CA and a token or a client certificate is accepted', () => {
  expect(parseKubeconfig(kubeconfig())).toMatchObject({ server: 'https://127.0.0.1:6443', user: 'u', credential: { is: 'token', token } });
  const certificate = { 'client-certificate-data': base64(client.certificatePem), 'client-key-data': base64(client.keyPem) };
  expect(parseKubeconfig(kubeconfig({ replaceUser: certificate })).credential.is).toBe('certificate');
  // JSON is YAML; kubectl writes it with an empty map of preferences.
  expect(parseKubeconfig(kubeconfig({ top: { preferences: {} } })).credential.is).toBe('token');
});

const refusedFields: readonly (readonly [string, Parts])[] = [
  ['exec', { user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/sh', args: ['-c', 'touch /tmp/owned'] } } }],
  ['auth-provider', { user: { 'auth-provider': { name: 'gcp', config: { 'cmd-path': '/bin/sh' } } } }],
  ['tokenFile', { user: { tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' } }],
  ['client-certificate', { user: { 'client-certificate': '/etc/passwd' } }],
  ['client-key', { user: { 'client-key': '/etc/shadow' } }],
  ['as', { user: { as: 'system:admin' } }],
  ['as-groups', { user: { 'as-groups': ['system:masters'] } }],
  ['as-uid', { user: { 'as-uid': '1' } }],
  ['as-user-extra', { user: { 'as-user-extra': { scopes: ['x'] } } }],
  ['username', { user: { username: 'admin' } }],
  ['password', { user: { password: 'admin' } }],
  ['extensions', { user: { extensions: [] } }],
  ['certificate-authority', { cluster: { 'certificate-authority': '/etc/ssl/certs/ca.pem' } }],
  ['insecure-skip-tls-verify', { cluster: { 'insecure-skip-tls-verify': true } }],
  ['insecure-skip-tls-verify', { cluster: { 'insecure-skip-tls-verify': false } }],
  ['proxy-url', { cluster: { 'proxy-url': 'http://127.0.0.1:3128' } }],
  ['tls-server-name', { cluster: { 'tls-server-name': 'kubernetes.default' } }],
  ['disable-compression', { cluster: { 'disable-compression': true } }],
  ['extensions', { cluster: { extensions: [] } }],
  ['extensions', { context: { extensions: [] } }],
  ['extensions', { top: { extensions: [] } }],
  ['cluster2', { clusterEntry: { cluster2: {} } }],
  ['users', { top: { users: [] } }],
  ['kind', { top: { kind: 'Status' } }],
];
test.each(refusedFields)('F1: `%s` is refused by its name, and no value is quoted', (name, parts) => {
  let message = '';
  try {
    parseKubeconfig(kubeconfig(parts));
  } catch (error) {
    message = error instanceof Error ? error.message : '';
  }
  expect(message).toContain(name);
  expect(message).not.toMatch(/touch|owned|etc\/|3128|signature/);
});

test('F1: an exec plugin in an entry that is not used is refused as well', () => {
  const other = { name: 'other', user: { exec: { command: 'sh' } } };
  expect(() => parseKubeconfig(kubeconfig({ top: { users: [{ name: 'u', user: { token } }, other] } }))).toThrow('exec is not accepted');
});

test.each(['$(touch /tmp/owned)', '`id`', 'a\r\nImpersonate-User: admin', 'short', ' '.repeat(40), 'töken-with-other-letters'])(
  'F1: the token %j is no token',
  (bad) => {
    expect(() => parseKubeconfig(kubeconfig({ replaceUser: { token: bad } }))).toThrow(/no token|missing/);
  },
);

test.each([
  'http://127.0.0.1:6443',
  'https://user:pass@127.0.0.1',
  'https://127.0.0.1/?a=b',
  'file:///etc/passwd',
  'unix:///run/x',
  'not a url',
])('F1: the server %s is refused', (server) => {
  expect(() => parseKubeconfig(kubeconfig({ cluster: { server } }))).toThrow('https://');
});

test('F1: what is no kubeconfig at all is refused without quoting it', () => {
  for (const text of [
    '',
    '[]',
    'a: &x [*x]',
    `token: ${token}\ntoken: 1`,
    'x: "unterminated',
    `{"clusters": 7, "t": "${token}"}`,
    'y'.repeat(300_000),
  ]) {
    expect(() => parseKubeconfig(text)).toThrow('the kubeconfig can’t be used');
    try {
      parseKubeconfig(text);
    } catch (error) {
      expect(String(error)).not.toContain('signature');
    }
  }
});

test('F1 on a real API server: a tenant’s token works as it is, and its account token is minted by it; the grant does not limit it', async () => {
  const tenant = await onboard(await testCluster());
  const shared = clustersFor([tenant]);
  const clusters = createClusters({
    component: 'test',
    version: '0',
    bootstrap: () => Promise.reject(new Error('no bootstrap for private clusters')),
    clock: systemClock,
    log: silentLog,
    onChange: () => undefined,
  });
  try {
    const text = (value: string): string =>
      stringify({
        'current-context': 'c',
        clusters: [{ name: 'k', cluster: { server: tenant.access.server, 'certificate-authority-data': base64(tenant.access.caBundle) } }],
        users: [{ name: 'u', user: { token: value } }],
        contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      });
    const scope = scopeOfJob({ tenantId: randomUUID() }, 'test');
    const delivery = randomUUID();
    const minted = await tenant.admin.must(
      'POST',
      `/api/v1/namespaces/${tenant.account.namespace}/serviceaccounts/${tenant.account.name}/token`,
      { spec: { expirationSeconds: 600 } },
    );
    const own = JSON.parse(JSON.stringify(minted.body)).status.token;
    const direct = clusters.bindPrivate({
      scope,
      clusterId: randomUUID(),
      clusterName: 'mine',
      kubeconfig: text(own),
      account: null,
      deliveryId: delivery,
    });
    expect(direct.namespaces).toEqual([]);
    expect(direct.account).toBe('user u of the kubeconfig');
    expect((await apply(direct, [item(configMap(tenant.namespace, 'private', {}), delivery)])).map((one) => one.action)).toEqual([
      'created',
    ]);
    const through = clusters.bindPrivate({
      scope,
      clusterId: randomUUID(),
      clusterName: 'mine',
      kubeconfig: text(tenant.bootstrapToken),
      account: tenant.account,
      deliveryId: delivery,
    });
    expect(through.account).toBe(tenant.user);
    expect((await through.read(item(configMap(tenant.namespace, 'private', {}), delivery).ref, never))?.['kind']).toBe('ConfigMap');
    expect(bindFor(shared, tenant, delivery).account).toBe(tenant.user);
  } finally {
    await clusters.close();
    await shared.close();
  }
});
