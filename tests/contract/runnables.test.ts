import { expect, test } from 'vitest';
import { kinds } from '#kinds/registry.ts';
import { kindRoutes, runnables } from '#workers/runnables.ts';

test('every reconciled kind of the registry can be run, and has a queue', () => {
  const registered = kinds.map((kind) => kind.resource.kind).toSorted();
  expect([...runnables.keys()].toSorted()).toEqual(registered);
  expect([...kindRoutes.keys()].toSorted()).toEqual(registered);
  for (const kind of kinds) expect(kindRoutes.get(kind.resource.kind)).toBe(kind.worker);
});
