import { describe, expect, it } from 'vitest';
import { allVerbs, type Resource, type Role, type Verb } from '#core/resource.ts';
import { PLATFORM_TENANT_ID, type Principal, type TokenLimits } from '#core/tenant.ts';
import { resources } from '#kinds/registry.ts';
import { roleTable } from '#tests/contract/role-table.ts';
import type { Asked } from './answers.ts';
import { decide, decideAcross, locate, type Place } from './visibility.ts';

const acme = { tenantId: '00000000-0000-4000-8000-0000000000a1', tenantName: 'acme' };
const other = { tenantId: '00000000-0000-4000-8000-0000000000b1', tenantName: 'other' };

type Who = Readonly<{ role?: Role; platformAdmin?: boolean; limits?: TokenLimits; namespaces?: readonly string[] }>;

function principal({ role, platformAdmin = false, limits, namespaces = ['acme', 'acme-prod'] }: Who): Principal {
  const memberships = role === undefined ? [] : [{ ...acme, role, namespaces }];
  return {
    issuer: 'https://id.test',
    subject: 'jane',
    name: 'jane@acme.test',
    via: 'oidc',
    groups: [],
    platformAdmin,
    memberships,
    limits: limits ?? null,
    expiresAtMs: 0,
  };
}

const actors: Readonly<Record<string, Principal>> = {
  V: principal({ role: 'viewer' }),
  E: principal({ role: 'editor' }),
  A: principal({ role: 'admin' }),
  P: principal({ platformAdmin: true }),
};

const resourceOf = (plural: string): Resource => {
  const found = resources.find((one) => one.plural === plural);
  if (found === undefined) throw new Error(`${plural} is not served`);
  return found;
};

const everybody = ['V', 'E', 'A', 'P'] as const;
const served = roleTable.filter((row) => resources.some((one) => one.plural === row.plural));

function asked(resource: Resource, verb: Verb, change: Partial<Asked> = {}): Asked {
  const named = ['get', 'update', 'patch', 'delete'].includes(verb);
  const namespace = resource.scope === 'Namespaced' ? 'acme' : '';
  return { verb, resource, namespace, name: named ? (resource.scope === 'Namespaced' ? 'x' : 'acme') : null, ...change };
}

describe('role × verb × kind', () => {
  it('the table covers every kind that is served', () => {
    expect(resources.map((one) => one.plural).filter((plural) => !roleTable.some((row) => row.plural === plural))).toEqual([]);
  });

  const cells = served.flatMap((row) =>
    allVerbs.flatMap((verb) => everybody.map((actor) => [row.plural, verb, actor, row.rights[verb]?.includes(actor) === true] as const)),
  );
  it.each(cells)('%s %s by %s: %s', (plural, verb, actor, allowed) => {
    const decision = decide(actors[actor]!, acme, asked(resourceOf(plural), verb));
    expect(decision.is).toBe(allowed ? 'allowed' : 'forbidden');
  });

  it.each(
    served.flatMap((row) =>
      Object.entries(row.subresources ?? {}).flatMap(([sub, rights]) =>
        Object.entries(rights).flatMap(([verb, who]) =>
          everybody.map((actor) => [`${row.plural}/${sub}`, verb, actor, who.includes(actor)] as const),
        ),
      ),
    ),
  )('%s %s by %s: %s', (path, verb, actor, allowed) => {
    const [plural = '', sub = ''] = path.split('/');
    const resource = resourceOf(plural);
    const subresource = resource.subresources.find((one) => one.name === sub);
    if (subresource === undefined) throw new Error(`${path} is not served`);
    const request = { ...asked(resource, verb === 'create' ? 'create' : 'get'), name: 'x', subresource };
    expect(decide(actors[actor]!, acme, request).is).toBe(allowed ? 'allowed' : 'forbidden');
  });

  it.each(served.map((row) => [row.plural, Object.keys(row.rights)] as const))('%s has exactly these verbs', (plural, verbs) => {
    expect([...resourceOf(plural).verbs].toSorted()).toEqual(verbs.toSorted());
  });

  it('own: all but admins see only what they made', () => {
    const tokens = resourceOf('accesstokens');
    const onlyOwn = everybody.map((actor) => {
      const decision = decide(actors[actor]!, acme, asked(tokens, 'list'));
      return decision.is === 'allowed' && decision.onlyOwn;
    });
    expect(onlyOwn).toEqual([true, true, false, false]);
  });
});

describe('what a caller cannot see does not exist (kube-api.md 2.5)', () => {
  const configMaps = resourceOf('configmaps');
  const admin = principal({ role: 'admin' });
  const refuse = (who: Principal, request: Asked, place: Place = null) => {
    const decision = decide(who, place, request);
    if (decision.is !== 'hidden' && decision.is !== 'forbidden') throw new Error(`was ${decision.is}`);
    return { is: decision.is, code: decision.error.code, message: decision.error.message, details: decision.error.details };
  };

  it.each(['get', 'update', 'patch', 'delete'] as const)('%s of a named object: 404 of the object', (verb) => {
    expect(refuse(admin, asked(configMaps, verb, { namespace: 'flux-system' }))).toEqual({
      is: 'hidden',
      code: 'notFound',
      message: 'configmaps "x" not found',
      details: { name: 'x', group: '', kind: 'configmaps' },
    });
  });

  it('create: 404 of the namespace', () => {
    expect(refuse(admin, asked(configMaps, 'create', { namespace: 'flux-system' }))).toMatchObject({
      code: 'notFound',
      message: 'namespaces "flux-system" not found',
    });
  });

  it.each(['list', 'watch', 'deletecollection'] as const)('%s: 403 with the way out', (verb) => {
    const { code, message } = refuse(admin, asked(configMaps, verb, { namespace: 'flux-system' }));
    expect(code).toBe('forbidden');
    expect(message).toBe(
      `configmaps is forbidden: User "jane@acme.test" cannot ${verb} resource "configmaps" in API group "" in the namespace "flux-system": your namespaces are acme, acme-prod`,
    );
  });

  it('at most five names are shown, and none is said plainly', () => {
    const many = principal({ role: 'viewer', namespaces: ['f', 'e', 'd', 'c', 'b', 'a'] });
    expect(refuse(many, asked(configMaps, 'list', { namespace: 'x' })).message).toContain('your namespaces are a, b, c, d, e and more');
    expect(refuse(principal({}), asked(configMaps, 'list', { namespace: 'x' })).message).toContain('you have no namespaces');
  });

  it('inside a visible namespace a missing right is an ordinary 403 in Kubernetes’ words', () => {
    expect(refuse(principal({ role: 'viewer' }), asked(resourceOf('kustomizations'), 'delete'), acme).message).toBe(
      'kustomizations.kustomize.toolkit.fluxcd.io "x" is forbidden: User "jane@acme.test" cannot delete resource "kustomizations" in API group "kustomize.toolkit.fluxcd.io" in the namespace "acme": role viewer of tenant acme lacks delete',
    );
  });

  it('a platform admin: Secrets are 403 whether the namespace exists or not, other missing things are 404', () => {
    const platform = principal({ platformAdmin: true });
    for (const place of [acme, null])
      for (const verb of ['get', 'list', 'watch'] as const)
        expect(refuse(platform, asked(resourceOf('secrets'), verb), place).code).toBe('forbidden');
    expect(refuse(platform, asked(configMaps, 'get')).message).toBe('configmaps "x" not found');
    expect(refuse(platform, asked(configMaps, 'list')).message).toBe('namespaces "acme" not found');
  });
});

describe('where a request goes', () => {
  const configMaps = resourceOf('configmaps');
  const calls: string[] = [];
  const directory = {
    tenantOfNamespace: async (name: string) => (calls.push(name), other),
    tenantByName: async (name: string) => (calls.push(name), other),
  };

  it('a member’s own namespaces need no lookup, and a stranger’s cause none', async () => {
    calls.length = 0;
    const admin = principal({ role: 'admin' });
    expect(await locate(directory, admin, asked(configMaps, 'get'))).toEqual(acme);
    expect(await locate(directory, admin, asked(configMaps, 'get', { namespace: 'other' }))).toBeNull();
    expect(await locate(directory, admin, asked(resourceOf('namespaces'), 'get', { name: 'acme-prod' }))).toEqual(acme);
    expect(await locate(directory, admin, asked(resourceOf('tenants'), 'get', { name: 'other' }))).toBeNull();
    expect(calls).toEqual([]);
  });

  it('a platform admin’s is looked up; weir-system belongs to the platform; a new Tenant gets its own id', async () => {
    const platform = principal({ platformAdmin: true });
    expect(await locate(directory, platform, asked(configMaps, 'get', { namespace: 'other' }))).toEqual(other);
    expect(await locate(directory, platform, asked(resourceOf('clusters'), 'get', { namespace: 'weir-system' }))).toMatchObject({
      tenantId: PLATFORM_TENANT_ID,
    });
    const [first, second] = await Promise.all([1, 2].map(() => locate(directory, platform, asked(resourceOf('tenants'), 'create'))));
    expect(first?.tenantId).not.toBe(second?.tenantId);
    expect(await locate(directory, principal({ role: 'admin' }), asked(resourceOf('tenants'), 'create'))).toBeNull();
  });

  it('a member reads Clusters of weir-system as shared ones: get and list, nothing else, and not with a token that lacks it', () => {
    const clusters = resourceOf('clusters');
    const system = { namespace: 'weir-system' };
    const viewer = principal({ role: 'viewer' });
    expect((['get', 'list'] as const).map((verb) => decide(viewer, null, asked(clusters, verb, system)).is)).toEqual([
      'sharedClusters',
      'sharedClusters',
    ]);
    expect(
      (['watch', 'create', 'update', 'delete'] as const).map((verb) => decide(viewer, null, asked(clusters, verb, system)).is),
    ).toEqual(['hidden', 'hidden', 'hidden', 'hidden']);
    expect(decide(viewer, null, asked(configMaps, 'list', system)).is).toBe('hidden');
    expect(decide(principal({}), null, asked(clusters, 'list', system)).is).toBe('hidden');
    expect(decide(principal({ role: 'viewer', limits: { configmaps: ['list'] } }), null, asked(clusters, 'list', system)).is).toBe(
      'hidden',
    );
  });
});

describe('tokens', () => {
  const configMaps = resourceOf('configmaps');
  it.each<[string, TokenLimits, Verb, boolean]>([
    ['a listed verb', { configmaps: ['get'] }, 'get', true],
    ['a verb that is not listed', { configmaps: ['get'] }, 'list', false],
    ['another plural', { secrets: ['get'] }, 'get', false],
    ['every plural', { '*': ['get'] }, 'get', true],
    ['the plural’s own list goes before *', { '*': ['get', 'delete'], configmaps: ['get'] }, 'delete', false],
    ['nothing at all', {}, 'get', false],
  ])('%s', (_what, limits, verb, allowed) => {
    expect(decide(principal({ role: 'admin', limits }), acme, asked(configMaps, verb)).is).toBe(allowed ? 'allowed' : 'forbidden');
  });

  it('never have more than the role', () => {
    expect(decide(principal({ role: 'viewer', limits: { '*': allVerbs } }), acme, asked(configMaps, 'delete')).is).toBe('forbidden');
  });

  it('do not reach subresources by the plural alone', () => {
    const accounts = resourceOf('serviceaccounts');
    const token = accounts.subresources.find((one) => one.name === 'token');
    if (token === undefined) throw new Error('no token subresource');
    const limited = principal({ role: 'admin', limits: { serviceaccounts: ['create'] } });
    expect(decide(limited, acme, { ...asked(accounts, 'create'), name: 'x', subresource: token }).is).toBe('forbidden');
  });
});

describe('lists over all namespaces', () => {
  const everything = [
    { ...other, namespaces: ['other'] },
    { ...acme, namespaces: ['acme', 'acme-prod'] },
  ];
  it('cover the tenants in which the caller may', () => {
    const decision = decideAcross(principal({ role: 'viewer' }), asked(resourceOf('configmaps'), 'list', { namespace: '' }), []);
    expect(decision.is === 'allowed' && decision.parts.map((part) => [part.tenantName, part.namespaces, part.role])).toEqual([
      ['acme', ['acme', 'acme-prod'], 'viewer'],
    ]);
  });

  it('give a platform admin who is a member their own role there and the platform’s elsewhere', () => {
    const both = principal({ role: 'editor', platformAdmin: true });
    const decision = decideAcross(both, asked(resourceOf('configmaps'), 'list', { namespace: '' }), everything);
    expect(decision.is === 'allowed' && decision.parts.map((part) => [part.tenantName, part.role])).toEqual([
      ['acme', 'editor'],
      ['other', 'platform-admin'],
    ]);
  });

  it.each([
    ['a viewer asks for Secrets', principal({ role: 'viewer' }), 'secrets', 'role viewer of tenant acme lacks list'],
    ['a platform admin asks for Secrets', principal({ platformAdmin: true }), 'secrets', 'you have no namespaces'],
    ['nobody’s member', principal({}), 'configmaps', 'you have no namespaces'],
  ])('%s: 403 when there is no part', (_what, who, plural, text) => {
    const decision = decideAcross(who, asked(resourceOf(plural), 'list', { namespace: '' }), everything);
    expect(decision.is === 'forbidden' && decision.error.message).toContain(
      `cannot list resource "${plural}" in API group "" at the cluster scope: ${text}`,
    );
  });
});
