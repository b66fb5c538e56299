import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import Value from 'typebox/value';
import { beforeAll, describe, expect, test } from 'vitest';
import { type SharedDemo, sharedDemo } from '#tests/harness/parts.ts';

type Entry = Readonly<{
  stage: string;
  verb: string;
  user: string;
  userAgent: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  uri: string;
}>;

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection'];
/** The operator who onboards acts as a user of system:masters, with the command's own user agent. */
const OPERATOR_AGENT = 'weir-onboard';

let demo: SharedDemo;
const logs = new Map<string, readonly Entry[]>();

beforeAll(async () => {
  demo = await sharedDemo();
  for (const cluster of demo.workloadClusters)
    logs.set(
      cluster.name,
      (await readFile(cluster.auditLog, 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map(entryOf),
    );
});

const Line = Type.Object({
  stage: Type.String(),
  verb: Type.String(),
  userAgent: Type.Optional(Type.String()),
  requestURI: Type.String(),
  user: Type.Object({ username: Type.Optional(Type.String()) }),
  objectRef: Type.Optional(
    Type.Object({
      resource: Type.Optional(Type.String()),
      subresource: Type.Optional(Type.String()),
      namespace: Type.Optional(Type.String()),
      name: Type.Optional(Type.String()),
    }),
  ),
});

function entryOf(line: string): Entry {
  const raw: unknown = JSON.parse(line);
  if (!Value.Check(Line, raw)) throw new Error(`no audit entry: ${line.slice(0, 200)}`);
  const ref = raw.objectRef ?? {};
  return {
    stage: raw.stage,
    verb: raw.verb,
    user: raw.user.username ?? '',
    userAgent: raw.userAgent ?? '',
    resource: ref.resource ?? '',
    subresource: ref.subresource ?? '',
    namespace: ref.namespace ?? '',
    name: ref.name ?? '',
    uri: raw.requestURI.split('?')[0] ?? '',
  };
}

function done(cluster: string): readonly Entry[] {
  return (logs.get(cluster) ?? []).filter((one) => one.stage === 'ResponseComplete' || one.stage === 'ResponseStarted');
}

const tenantUser = (tenant: string) => `system:serviceaccount:weir-system:tenant-${tenant}`;

describe.each(['north', 'south'])('the audit log of %s', (cluster) => {
  test('holds writes by our user agent, and each is by a tenant account (a token request apart)', () => {
    const ours = done(cluster).filter((one) => one.userAgent.startsWith('weir/') && WRITES.includes(one.verb));
    expect(ours.length).toBeGreaterThan(20);
    const { bootstrapAccount } = demo.workloadClusters[0] ?? { bootstrapAccount: '' };
    for (const one of ours) {
      if (one.user === bootstrapAccount) expect([one.verb, one.resource, one.subresource]).toEqual(['create', 'serviceaccounts', 'token']);
      else expect([tenantUser('team-a'), tenantUser('team-b')]).toContain(one.user);
    }
  });

  test('shows of the bootstrap account nothing but token requests and GET of version, discovery and readiness', () => {
    const bootstrap = done(cluster).filter((one) => one.user === demo.workloadClusters[0]?.bootstrapAccount);
    expect(bootstrap.length).toBeGreaterThan(2);
    const allowed = (one: Entry) =>
      (one.verb === 'create' && one.resource === 'serviceaccounts' && one.subresource === 'token') ||
      (one.verb === 'get' && /^\/(version|readyz|api|apis)(\/|$)/.test(one.uri) && one.resource === '');
    expect(bootstrap.filter((one) => !allowed(one))).toEqual([]);
  });

  test('shows of tenant B nothing in the namespaces of tenant A, and the other way round', () => {
    const entries = done(cluster);
    for (const [tenant, foreign] of [
      ['team-b', 'apps-a'],
      ['team-a', 'apps-b'],
    ] as const) {
      const mine = entries.filter((one) => one.user === tenantUser(tenant));
      expect(mine.length).toBeGreaterThan(5);
      expect(mine.filter((one) => one.namespace === foreign || one.uri.includes(`/namespaces/${foreign}/`))).toEqual([]);
    }
  });

  test('shows writes in tenant namespaces only by the tenant, by the cluster itself, or by its operator', () => {
    const inTenants = done(cluster).filter((one) => ['apps-a', 'apps-b'].includes(one.namespace) && WRITES.includes(one.verb));
    const strangers = inTenants.filter((one) => {
      const owner = tenantUser(one.namespace === 'apps-a' ? 'team-a' : 'team-b');
      const system = one.user.startsWith('system:') && !one.user.startsWith('system:serviceaccount:weir-system:');
      // Tests of releases use helm by hand as the cluster's operator, beside the plane.
      const byHand = one.user === 'kubernetes-admin' && one.userAgent.startsWith('Helm/');
      const operator = one.userAgent.startsWith(OPERATOR_AGENT) || one.userAgent === 'demo-operator' || byHand;
      return one.user !== owner && !system && !operator;
    });
    expect(strangers).toEqual([]);
  });
});
