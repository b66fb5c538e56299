import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { canonicalJson, textAt } from '#core/json.ts';
import { applyWorkload, planWorkload } from '#services/cli/onboard/plan.ts';
import type { OnboardWish } from '#services/cli/onboard/wish.ts';
import { asAdmin, asToken, openOperator } from '#tests/cli/workload-access.ts';
import { testCluster } from '#tests/harness/parts.ts';

const nobody = (): void => undefined;

function wishFor(...tenants: readonly string[]): OnboardWish {
  return {
    name: 'east',
    planeNamespace: 'weir-system',
    labels: {},
    tenants: tenants.map((tenant) => ({ tenant, namespaces: [`apps-${tenant}`] })),
    role: 'admin',
    accounts: [],
  };
}

function fresh(): string {
  return `t${randomBytes(4).toString('hex')}`;
}

test('onboarding makes accounts, roles and namespaces, and doing it again changes nothing', async () => {
  const cluster = await testCluster();
  using access = await openOperator(cluster);
  const tenant = fresh();
  const first = await planWorkload(access.workload, wishFor(tenant));
  expect((await asAdmin(cluster, `/api/v1/namespaces/apps-${tenant}`)).status, 'a plan writes nothing').toBe(404);
  const applied = await applyWorkload(access.workload, first, nobody);
  expect(applied.filter((step) => step.result === 'created').map((step) => step.title)).toEqual(
    expect.arrayContaining([
      `Namespace/apps-${tenant}`,
      `ServiceAccount/weir-system/tenant-${tenant}`,
      `RoleBinding/apps-${tenant}/weir-tenant-${tenant}`,
    ]),
  );
  const binding = await asAdmin(cluster, `/apis/rbac.authorization.k8s.io/v1/namespaces/apps-${tenant}/rolebindings/weir-tenant-${tenant}`);
  expect(binding.body).toMatchObject({
    metadata: { managedFields: [{ manager: 'weir-onboard', operation: 'Apply' }] },
    roleRef: { kind: 'ClusterRole', name: 'admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'weir-system', name: `tenant-${tenant}` }],
  });
  const again = await applyWorkload(access.workload, await planWorkload(access.workload, wishFor(tenant)), nobody);
  expect(new Set(again.map((step) => step.result))).toEqual(new Set(['unchanged']));
});

test('a run with another tenant adds it and keeps the first', async () => {
  const cluster = await testCluster();
  using access = await openOperator(cluster);
  const [one, two] = [fresh(), fresh()];
  await applyWorkload(access.workload, await planWorkload(access.workload, wishFor(one)), nobody);
  const second = await applyWorkload(access.workload, await planWorkload(access.workload, wishFor(one, two)), nobody);
  expect(second.filter((step) => step.title.includes(one)).map((step) => step.result)).toEqual(['unchanged', 'unchanged', 'unchanged']);
  expect(second.find((step) => step.title === 'Role/weir-system/weir-bootstrap')?.result).toBe('configured');
  // Named alone, too: nobody loses an account because the operator did not repeat everything.
  await applyWorkload(access.workload, await planWorkload(access.workload, wishFor(two)), nobody);
  const role = await asAdmin(cluster, '/apis/rbac.authorization.k8s.io/v1/namespaces/weir-system/roles/weir-bootstrap');
  expect(role.body).toMatchObject({
    rules: [
      {
        verbs: ['create'],
        resources: ['serviceaccounts/token'],
        resourceNames: expect.arrayContaining(['weir-bootstrap', `tenant-${one}`, `tenant-${two}`]),
      },
    ],
  });
});

test('F5: the bootstrap account may mint tokens for registered accounts and itself, and nothing else', async () => {
  const cluster = await testCluster();
  using access = await openOperator(cluster);
  const tenant = fresh();
  await applyWorkload(access.workload, await planWorkload(access.workload, wishFor(tenant)), nobody);
  const stranger = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: 'weir-system', name: `stranger-${tenant}` } };
  await access.workload.apply(stranger, { dryRun: false });
  const { token } = await access.workload.mintToken({ namespace: 'weir-system', name: 'weir-bootstrap' }, 30 * 86_400);

  const rules = await rulesOf(token, 'weir-system');
  const role = await asAdmin(cluster, '/apis/rbac.authorization.k8s.io/v1/namespaces/weir-system/roles/weir-bootstrap');
  const registered: unknown = Reflect.get(Object(Reflect.get(Object(role.body), 'rules')?.[0]), 'resourceNames');
  expect(sorted(rules)).toEqual(
    sorted([...everybodysRules, { verbs: ['create'], apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: registered }]),
  );
  expect(registered).toContain(`tenant-${tenant}`);
  expect(registered).not.toContain(`stranger-${tenant}`);
  expect(sorted(await rulesOf(token, `apps-${tenant}`)), 'nothing in the namespace of a tenant').toEqual(sorted(everybodysRules));

  const mint = async (name: string, namespace = 'weir-system'): Promise<number> =>
    (
      await asToken(cluster, token, 'POST', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 600 },
      })
    ).status;
  expect(await mint(`tenant-${tenant}`)).toBe(201);
  expect(await mint('weir-bootstrap')).toBe(201);
  expect(await mint(`stranger-${tenant}`)).toBe(403);
  expect(await mint(`tenant-${tenant}`, `apps-${tenant}`)).toBe(403);
  for (const path of [
    '/api/v1/namespaces',
    '/api/v1/namespaces/weir-system/secrets',
    '/api/v1/namespaces/weir-system/serviceaccounts',
    '/apis/rbac.authorization.k8s.io/v1/namespaces/weir-system/roles',
  ])
    expect([path, (await asToken(cluster, token, 'GET', path)).status]).toEqual([path, 403]);

  async function rulesOf(bearer: string, namespace: string): Promise<unknown> {
    const answer = await asToken(cluster, bearer, 'POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectRulesReview',
      spec: { namespace },
    });
    expect(answer.status).toBe(201);
    return Reflect.get(Object(Reflect.get(Object(answer.body), 'status')), 'resourceRules');
  }
});

/** The server answers in no particular order. */
function sorted(rules: unknown): unknown {
  return Array.isArray(rules) ? rules.map((rule) => canonicalJson(rule)).sort() : rules;
}

/** What Kubernetes gives every service account: to ask about itself, and to read the cluster's public certificates. */
const everybodysRules = [
  { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'] },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  { verbs: ['get', 'list', 'watch'], apiGroups: ['certificates.k8s.io'], resources: ['clustertrustbundles'] },
];

test('a further account gets a role with its name in its own namespace', async () => {
  const cluster = await testCluster();
  using access = await openOperator(cluster);
  const tenant = fresh();
  const wish = { ...wishFor(tenant), accounts: [{ namespace: `apps-${tenant}`, name: 'deployer' }] };
  await applyWorkload(access.workload, await planWorkload(access.workload, wish), nobody);
  const { token } = await access.workload.mintToken({ namespace: 'weir-system', name: 'weir-bootstrap' }, 600);
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } };
  expect((await asToken(cluster, token, 'POST', `/api/v1/namespaces/apps-${tenant}/serviceaccounts/deployer/token`, request)).status).toBe(
    201,
  );
});

test('a role that does not exist, and one that is already another, are refused before anything is written', async () => {
  const cluster = await testCluster();
  using access = await openOperator(cluster);
  const tenant = fresh();
  await expect(planWorkload(access.workload, { ...wishFor(tenant), role: 'no-such-role' })).rejects.toMatchObject({
    exitCode: 1,
    message: expect.stringContaining('no-such-role'),
  });
  await applyWorkload(access.workload, await planWorkload(access.workload, wishFor(tenant)), nobody);
  await expect(planWorkload(access.workload, { ...wishFor(tenant), role: 'view' })).rejects.toMatchObject({
    exitCode: 1,
    more: { next: expect.stringContaining('kubectl delete rolebinding') },
  });
});

test('the cluster’s audit log shows the operator with the user agent of onboarding, and nobody else', async () => {
  const cluster = await testCluster();
  using access = await openOperator(cluster);
  const tenant = fresh();
  await applyWorkload(access.workload, await planWorkload(access.workload, wishFor(tenant)), nobody);
  const writes = await auditedWrites(cluster.auditLogPath, `apps-${tenant}`);
  expect(writes.length).toBeGreaterThan(0);
  expect(new Set(writes.map((one) => String(Reflect.get(one, 'userAgent'))))).toEqual(new Set(['weir-onboard/0.1.0']));
  expect(new Set(writes.map((one) => textAt(Object(one), 'user', 'username')?.startsWith('system:serviceaccount:')))).toEqual(
    new Set([false]),
  );
});

/** The log is written a moment after the answer. */
async function auditedWrites(path: string, namespace: string): Promise<readonly object[]> {
  for (let tries = 0; tries < 100; tries += 1) {
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.includes(namespace) && line.endsWith('}'));
    const writes = lines
      .map((line): object => JSON.parse(line))
      .filter((one) => Reflect.get(one, 'verb') === 'patch' && textAt(Object(one), 'objectRef', 'namespace') === namespace);
    if (writes.some((one) => textAt(Object(one), 'objectRef', 'resource') === 'rolebindings')) return writes;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`nothing about ${namespace} in the audit log`);
}
