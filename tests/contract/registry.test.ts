import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { kinds, resources } from '#kinds/registry.ts';
import { openSchemas } from '#services/api/validate/compile.ts';
import { checkRoutes, type Route } from '#services/api/wire/route.ts';

/** OCIRepository lies in oci-repository. */
const folderOf = (kind: string): string => kind.replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '-').toLowerCase();

describe('the registry', () => {
  it('holds exactly the folders of kinds/', async () => {
    const entries = await readdir(new URL('../../kinds/', import.meta.url), { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    expect(resources.map((one) => folderOf(one.kind)).toSorted()).toEqual(folders.toSorted());
  });

  it('has a resource for every reconciled kind, and no plural twice', () => {
    for (const kind of kinds) expect(resources).toContain(kind.resource);
    expect(new Set(resources.map((one) => one.plural)).size).toBe(resources.length);
  });

  it.each(resources.map((one) => [one.kind, one] as const))('%s: the schema compiles, and an empty object is judged', (_kind, resource) => {
    expect(Array.isArray(openSchemas().of(resource).errorsOf({}))).toBe(true);
  });
});

describe('the route table', () => {
  const good = {
    method: 'GET',
    url: '/x',
    audit: 'x',
    permission: { is: 'signedIn', because: 'a test' },
    handler: () => Promise.reject(new Error('not called')),
  } satisfies Route;
  it('is refused when a route says nothing about its permission, or stands twice', () => {
    expect(() => checkRoutes([good])).not.toThrow();
    expect(() => checkRoutes([good, good])).toThrow('route GET /x stands twice');
    const { permission: _permission, ...without } = good;
    expect(() => checkRoutes([Object.assign(Object.create(null), without)])).toThrow('route GET /x declares no permission');
    expect(() => checkRoutes([{ ...good, permission: { is: 'signedIn', because: '' } }])).toThrow('does not say why it needs no role');
  });
});
