import { describe, expect, test } from 'vitest';
import {
  changesSince,
  currentVersion,
  deleteObject,
  getObject,
  getObjectByUid,
  insertObject,
  listObjects,
  noConsequences,
  updateObject,
} from '#adapters/postgres/objects.ts';
import { rollbackWith } from '#adapters/postgres/tenant-tx.ts';
import { newObject, usePlane } from '#tests/postgres/plane.ts';

const plane = usePlane();

describe('objects', () => {
  test('what is written is read back, big integers and all', async () => {
    const { scope, namespace } = await plane.newTenant();
    const input = newObject({
      kind: 'ConfigMap',
      namespace,
      name: 'big',
      body: { data: { number: 9_007_199_254_740_993n, nested: [1, null, 'ä', { deep: true }] } },
      labels: { app: 'x' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u', controller: true }],
      managedFields: [{ manager: 'kubectl' }],
      status: { observedGeneration: -1 },
    });
    const stored = await plane.db.inTenant(scope, (tx) => insertObject(tx, input, noConsequences));
    const { refs: _refs, unit: _unit, ...given } = input;
    expect(stored).toEqual({
      ...given,
      tenantId: scope.tenantId,
      resourceVersion: stored.resourceVersion,
      deletingAtMs: null,
      sealedKeys: [],
    });
    const [byKey, byUid] = await plane.db.inTenant(scope, (tx) => Promise.all([getObject(tx, stored), getObjectByUid(tx, stored.uid)]));
    expect(byKey).toEqual(stored);
    expect(byUid).toEqual(stored);
  });

  test('a second object of the same name is refused and burns no visible number', async () => {
    const { scope, namespace } = await plane.newTenant();
    const write = () =>
      plane.db.inTenant(scope, (tx) => insertObject(tx, newObject({ kind: 'ConfigMap', namespace, name: 'one' }), noConsequences));
    const stored = await write();
    await expect(write()).rejects.toMatchObject({
      code: 'alreadyExists',
      message: `ConfigMap "one" already exists in namespace "${namespace}"`,
    });
    expect(await plane.db.inTenant(scope, currentVersion)).toBe(stored.resourceVersion);
  });

  test('an update with a stale number is a conflict, one that changes nothing keeps the number', async () => {
    const { scope, namespace } = await plane.newTenant();
    const first = await plane.db.inTenant(scope, (tx) =>
      insertObject(tx, newObject({ kind: 'ConfigMap', namespace, name: 'one' }), noConsequences),
    );
    const second = await plane.db.inTenant(scope, (tx) => updateObject(tx, first, { ...first, labels: { a: 'b' } }, noConsequences));
    expect(BigInt(second.resourceVersion)).toBe(BigInt(first.resourceVersion) + 1n);
    const stale = plane.db.inTenant(scope, (tx) => updateObject(tx, first, { ...first, labels: { c: 'd' } }, noConsequences));
    await expect(stale).rejects.toMatchObject({ code: 'conflict' });
    const same = await plane.db.inTenant(scope, (tx) => updateObject(tx, second, { ...second, labels: { a: 'b' } }, noConsequences));
    expect(same).toEqual(second);
    expect(await plane.db.inTenant(scope, currentVersion)).toBe(second.resourceVersion);
  });

  test('a deletion carries a new number, shows in the log with the last state, and repeats as not found', async () => {
    const { scope, namespace } = await plane.newTenant();
    const first = await plane.db.inTenant(scope, (tx) =>
      insertObject(tx, newObject({ kind: 'ConfigMap', namespace, name: 'one' }), noConsequences),
    );
    const second = await plane.db.inTenant(scope, (tx) => updateObject(tx, first, { ...first, labels: { a: 'b' } }, noConsequences));
    const gone = await plane.db.inTenant(scope, (tx) => deleteObject(tx, second, noConsequences));
    expect(gone).toEqual({ ...second, resourceVersion: String(BigInt(second.resourceVersion) + 1n) });
    expect(await plane.db.inTenant(scope, (tx) => getObject(tx, first))).toBeNull();
    await expect(plane.db.inTenant(scope, (tx) => deleteObject(tx, second, noConsequences))).rejects.toMatchObject({ code: 'notFound' });
    const after = String(BigInt(first.resourceVersion) - 1n);
    const log = await plane.db.inTenant(scope, (tx) => changesSince(tx, { kind: 'ConfigMap', namespaces: [namespace], after, limit: 10 }));
    expect(log).toEqual({
      upTo: gone.resourceVersion,
      changes: [
        { type: 'ADDED', resourceVersion: first.resourceVersion, object: first, before: null },
        { type: 'MODIFIED', resourceVersion: second.resourceVersion, object: second, before: first },
        { type: 'DELETED', resourceVersion: gone.resourceVersion, object: gone, before: second },
      ],
    });
  });

  test('a dry run returns its result and leaves nothing', async () => {
    const { scope, namespace } = await plane.newTenant();
    const before = await plane.db.inTenant(scope, currentVersion);
    const tried = await plane.db.inTenant(scope, async (tx) =>
      rollbackWith(await insertObject(tx, newObject({ kind: 'ConfigMap', namespace, name: 'dry' }), noConsequences)),
    );
    expect(tried.name).toBe('dry');
    expect(await plane.db.inTenant(scope, (tx) => getObject(tx, tried))).toBeNull();
    expect(await plane.db.inTenant(scope, currentVersion)).toBe(before);
  });

  test('lists are in byte order of namespace and name, by pages, names and namespaces', async () => {
    const { scope, namespace } = await plane.newTenant();
    for (const name of ['b', 'a', 'Z', 'a.b', 'a-b']) {
      await plane.db.inTenant(scope, (tx) => insertObject(tx, newObject({ kind: 'ConfigMap', namespace, name }), noConsequences));
    }
    await plane.db.inTenant(scope, (tx) =>
      insertObject(tx, newObject({ kind: 'ConfigMap', namespace: 'aaa', name: 'zz' }), noConsequences),
    );
    const names = async (query: object) =>
      (await plane.db.inTenant(scope, (tx) => listObjects(tx, { kind: 'ConfigMap', namespaces: null, ...query }))).map((one) => one.name);
    expect(await names({})).toEqual(['zz', 'Z', 'a', 'a-b', 'a.b', 'b']);
    expect(await names({ namespaces: [namespace], limit: 2 })).toEqual(['Z', 'a']);
    expect(await names({ after: { namespace, name: 'a' }, limit: 2 })).toEqual(['a-b', 'a.b']);
    expect(await names({ names: ['b', 'zz'] })).toEqual(['zz', 'b']);
    expect(await names({ namespaces: [] })).toEqual([]);
  });

  test('a second object write in one transaction must go through writeObjects', async () => {
    const { scope, namespace } = await plane.newTenant();
    const twice = plane.db.inTenant(scope, async (tx) => {
      await insertObject(tx, newObject({ kind: 'ConfigMap', namespace, name: 'one' }), noConsequences);
      await insertObject(tx, newObject({ kind: 'ConfigMap', namespace, name: 'two' }), noConsequences);
    });
    await expect(twice).rejects.toThrow('must come before the object writes');
  });
});
