import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { at, textAt } from '#core/json.ts';
import { weir } from '#tests/cli/cli-harness.ts';
import { caOf } from '#tests/cli/plane-access.ts';
import { recordingProxy } from '#tests/cli/recording-proxy.ts';
import { openOperator } from '#tests/cli/workload-access.ts';
import { useApi } from '#tests/contract/api.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type SharedCluster, testCluster } from '#tests/harness/parts.ts';

const api = useApi();
const dir = useTemporaryDir();

function onboardArguments(cluster: SharedCluster, name: string, tenants: string): readonly string[] {
  return [
    'cluster',
    'onboard',
    '--kubeconfig',
    cluster.adminKubeconfigPath,
    '--name',
    name,
    '--labels',
    'env=test',
    '--tenants',
    tenants,
    '--yes',
    '--wait=false',
  ];
}

function fresh(): string {
  return `c${randomBytes(4).toString('hex')}`;
}

test('the plane gets address, CA and the bootstrap token, and no byte of the operator’s credential', async () => {
  const cluster = await testCluster();
  await using proxy = await recordingProxy(join(dir(), 'proxy'), { url: api.url, caPem: await caOf(api) });
  const variables = { WEIR_SERVER: proxy.url, WEIR_CA_FILE: proxy.caFile, WEIR_TOKEN: api.tokenOf('platform') };
  const name = fresh();
  const ran = await weir({ home: dir(), variables }, ...onboardArguments(cluster, name, `${name}=apps-${name}`));
  expect(ran.err).not.toContain('error:');
  expect(ran.code).toBe(0);
  expect(ran.out).toContain(`plane: Cluster/weir-system/${name} created`);

  const sent = proxy.sent();
  expect(sent, 'the recording works').toContain('"token":"');
  expect(sent).toContain('/credentials');
  const admin = await readFile(cluster.adminKubeconfigPath, 'utf8');
  const user = Reflect.get(JSON.parse(admin), 'users')[0].user;
  for (const secret of [user['client-key-data'], user['client-certificate-data'], cluster.admin.keyPem, cluster.admin.certificatePem]) {
    for (const part of [secret, Buffer.from(secret, 'base64').toString('latin1'), ...String(secret).split('\n')].filter(
      (text) => text.length > 20 && !text.includes('-----') && !cluster.caPem.includes(text),
    ))
      expect(sent).not.toContain(part);
  }
  const stored = await api.must('platform', `/apis/weir.dev/v1/namespaces/weir-system/clusters/${name}`);
  expect(stored).toMatchObject({ metadata: { labels: { env: 'test' } }, spec: { server: cluster.server, caBundle: cluster.caPem } });
  const credentials = await api.must('platform', `/apis/weir.dev/v1/namespaces/weir-system/clusters/${name}/credentials`);
  expect(at(credentials, 'status', 'present')).toBe(true);
});

test('onboarding again adds only what is missing, and says unchanged for the rest', async () => {
  const cluster = await testCluster();
  const variables = { WEIR_SERVER: api.url, WEIR_CA_FILE: join(dir(), 'ca.crt'), WEIR_TOKEN: api.tokenOf('platform') };
  await writeFile(variables.WEIR_CA_FILE, await caOf(api));
  const [name, one, two] = [fresh(), fresh(), fresh()];
  expect((await weir({ home: dir(), variables }, ...onboardArguments(cluster, name, `${one}=apps-${one}`))).code).toBe(0);
  const again = await weir({ home: dir(), variables }, ...onboardArguments(cluster, name, `${two}=apps-${two}`));
  expect(again.code).toBe(0);
  expect(again.out).toContain(`plane: Cluster/weir-system/${name} unchanged`);
  expect(again.out).toContain(`plane: ClusterGrant/weir-system/${name} configured`);
  expect(again.out).toContain('cluster: ServiceAccount/weir-system/weir-bootstrap unchanged');
  const grant = await api.must('platform', `/apis/weir.dev/v1/namespaces/weir-system/clustergrants/${name}`);
  expect(at(grant, 'spec', 'tenants')).toMatchObject([
    { tenant: one, namespaces: [`apps-${one}`], serviceAccount: { namespace: 'weir-system', name: `tenant-${one}` } },
    { tenant: two, namespaces: [`apps-${two}`] },
  ]);
});

test('a kubeconfig that skips the verification of certificates is refused before anything is asked', async () => {
  const cluster = await testCluster();
  const kubeconfig = JSON.parse(await readFile(cluster.adminKubeconfigPath, 'utf8'));
  kubeconfig.clusters[0].cluster = { server: cluster.server, 'insecure-skip-tls-verify': true };
  const file = join(dir(), 'insecure.kubeconfig');
  await writeFile(file, JSON.stringify(kubeconfig));
  const ran = await weir({ home: dir() }, 'cluster', 'onboard', '--kubeconfig', file, '--name', 'x', '--yes');
  expect(ran.code).toBe(1);
  expect(ran.err).toContain('insecure-skip-tls-verify');
  expect(ran.err).toContain('next: put the cluster’s CA into the kubeconfig');
});

test('--dry-run prints YAML that holds the names as they are, and writes nothing', async () => {
  const cluster = await testCluster();
  const tenant = fresh();
  const ran = await weir(
    { home: dir() },
    'cluster',
    'onboard',
    '--kubeconfig',
    cluster.adminKubeconfigPath,
    '--name',
    'x',
    '--tenants',
    `${tenant}=apps-${tenant}`,
    '--dry-run',
    '-o',
    'json',
  );
  expect(ran.code).toBe(0);
  const list = JSON.parse(ran.out);
  expect(list).toMatchObject({ kind: 'List', apiVersion: 'v1' });
  expect(list.items.map((one: unknown) => `${textAt(Object(one), 'kind')}/${textAt(Object(one), 'metadata', 'name')}`)).toContain(
    `ServiceAccount/tenant-${tenant}`,
  );
  const yaml = await weir(
    { home: dir() },
    'cluster',
    'onboard',
    '--kubeconfig',
    cluster.adminKubeconfigPath,
    '--name',
    'x',
    '--tenants',
    `${tenant}=apps-${tenant}`,
    '--dry-run',
  );
  expect(yaml.out.split('---\n')).toHaveLength(list.items.length);
});

test('without a terminal and without --yes nothing is done', async () => {
  const cluster = await testCluster();
  const variables = { WEIR_SERVER: api.url, WEIR_CA_FILE: join(dir(), 'ca.crt'), WEIR_TOKEN: api.tokenOf('platform') };
  await writeFile(variables.WEIR_CA_FILE, await caOf(api));
  const name = fresh();
  const ran = await weir(
    { home: dir(), variables },
    ...onboardArguments(cluster, name, `${name}=apps-${name}`).filter((one) => one !== '--yes'),
  );
  expect(ran.code).toBe(2);
  expect(ran.err).toContain('create    Namespace/apps-');
  expect((await api.ask('platform', `/apis/weir.dev/v1/namespaces/weir-system/clusters/${name}`)).status).toBe(404);
});

test('E14: names that could be anything else never become part of a manifest', async () => {
  for (const evil of ['a: b', 'x\n---\nkind: Secret', '$(id)', '{{x}}', '"; rm -rf /', '*']) {
    const ran = await weir({ home: dir() }, 'cluster', 'onboard', '--tenants', `${evil}=apps`, '--yes');
    expect([evil, ran.code, ran.out]).toEqual([evil, 2, '']);
  }
});

test('an operator without rights, logged in by a credential plugin, is told what to do, and nothing reaches the plane', async () => {
  const cluster = await testCluster();
  const prepared = await weir(
    { home: dir() },
    'cluster',
    'onboard',
    '--kubeconfig',
    cluster.adminKubeconfigPath,
    '--name',
    'x',
    '--dry-run',
    '-o',
    'json',
  );
  expect(prepared.code).toBe(0);
  using access = await openOperator(cluster);
  for (const object of JSON.parse(prepared.out).items) await access.workload.apply(object, { dryRun: false });
  const { token } = await access.workload.mintToken({ namespace: 'weir-system', name: 'weir-bootstrap' }, 600);
  const plugin = join(dir(), 'plugin.cjs');
  await writeFile(
    plugin,
    `#!${process.execPath}\nconsole.log(JSON.stringify({ kind: 'ExecCredential', status: { token: ${JSON.stringify(token)} } }));`,
    { mode: 0o755 },
  );
  const kubeconfig = JSON.parse(await readFile(cluster.adminKubeconfigPath, 'utf8'));
  kubeconfig.users[0].user = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' } };
  const file = join(dir(), 'plugin.kubeconfig');
  await writeFile(file, JSON.stringify(kubeconfig));
  const variables = { WEIR_SERVER: api.url, WEIR_CA_FILE: join(dir(), 'ca.crt'), WEIR_TOKEN: api.tokenOf('platform') };
  await writeFile(variables.WEIR_CA_FILE, await caOf(api));
  const name = fresh();
  const ran = await weir(
    { home: dir(), variables },
    'cluster',
    'onboard',
    '--kubeconfig',
    file,
    '--name',
    name,
    '--tenants',
    `${name}=apps-${name}`,
    '--yes',
    '--wait=false',
  );
  expect(ran.code).toBe(1);
  expect(ran.err).toContain('system:serviceaccount:weir-system:weir-bootstrap');
  expect(ran.err).toContain('next: use a kubeconfig that may create namespaces');
  expect((await api.ask('platform', `/apis/weir.dev/v1/namespaces/weir-system/clusters/${name}`)).status).toBe(404);
});
