import { describe, expect, test } from 'vitest';
import type { LiveMeta } from '#core/ports.ts';
import { type Leaving, pruneDigest, pruneGuard } from '#core/prune-guard.ts';
import type { InventoryEntry } from '#core/store.ts';
import type { Desired } from './desired.ts';
import { planOf } from './plan.ts';

const D = 'delivery-1';

function desired(name: string, change: Partial<Desired> = {}): Desired {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'apps', name };
  return { id: `apps_${name}__ConfigMap`, ref, version: 'v1', manifest: {}, digest: 'd1', mode: 'Override', recreate: false, ...change };
}

function entry(name: string, change: Partial<InventoryEntry> = {}): InventoryEntry {
  return {
    id: `apps_${name}__ConfigMap`,
    version: 'v1',
    state: 'applied',
    uid: 'u1',
    appliedDigest: 'd1',
    generation: 1,
    resourceVersion: '100',
    ...change,
  };
}

function meta(change: Partial<LiveMeta> = {}): LiveMeta {
  return { uid: 'u1', generation: 1, resourceVersion: '100', deliveryLabel: D, deleting: false, annotations: {}, ...change };
}

function plan(
  input: Readonly<{
    desired?: readonly Desired[];
    inventory?: readonly InventoryEntry[];
    live?: Record<string, LiveMeta | null>;
    full?: boolean;
  }>,
) {
  const live = new Map(Object.entries(input.live ?? {}).map(([name, value]) => [`apps_${name}__ConfigMap`, value]));
  return planOf({ desired: input.desired ?? [], inventory: input.inventory ?? [], live, deliveryId: D, full: input.full ?? false });
}

const names = (list: readonly Readonly<{ id: string }>[]) => list.map((one) => one.id.split('_')[1]);

describe('what is applied', () => {
  test('an object that is new, and one whose manifest changed', () => {
    const found = plan({
      desired: [desired('new'), desired('changed', { digest: 'd2' })],
      inventory: [entry('changed')],
      live: { new: null, changed: meta() },
    });
    expect(names(found.apply)).toEqual(['new', 'changed']);
    expect(found.unchanged).toBe(0);
  });

  test('nothing for an object that is as it was', () => {
    const found = plan({ desired: [desired('same')], inventory: [entry('same')], live: { same: meta() } });
    expect(found).toEqual({ apply: [], suspects: [], conflicts: [], prune: [], forget: [], unchanged: 1 });
  });

  test('one that somebody deleted, recreated, or took our label from', () => {
    const all = ['deleted', 'recreated', 'unlabelled'];
    const found = plan({
      desired: all.map((name) => desired(name)),
      inventory: all.map((name) => entry(name)),
      live: { deleted: null, recreated: meta({ uid: 'u2' }), unlabelled: meta({ deliveryLabel: null }) },
    });
    expect(names(found.apply)).toEqual(all);
  });

  test('one whose generation somebody moved', () => {
    const found = plan({
      desired: [desired('edited')],
      inventory: [entry('edited')],
      live: { edited: meta({ generation: 2, resourceVersion: '120' }) },
    });
    expect(names(found.apply)).toEqual(['edited']);
  });

  test('not one whose status alone moved', () => {
    const found = plan({
      desired: [desired('running')],
      inventory: [entry('running')],
      live: { running: meta({ resourceVersion: '120' }) },
    });
    expect(found.unchanged).toBe(1);
  });

  test('not when the watch still shows the state before our own write', () => {
    const found = plan({
      desired: [desired('ours')],
      inventory: [entry('ours', { generation: 3, resourceVersion: '1000' })],
      live: { ours: meta({ generation: 2, resourceVersion: '999' }) },
    });
    expect(found.unchanged).toBe(1);
  });

  test('one that was only intended before a crash', () => {
    const found = plan({
      desired: [desired('half')],
      inventory: [entry('half', { state: 'intent', uid: null, appliedDigest: null })],
      live: { half: null },
    });
    expect(names(found.apply)).toEqual(['half']);
  });

  test('a kind without generation that moved is a suspect: a dry run decides', () => {
    const found = plan({
      desired: [desired('config')],
      inventory: [entry('config', { generation: null })],
      live: { config: meta({ generation: null, resourceVersion: '101' }) },
    });
    expect(names(found.suspects)).toEqual(['config']);
  });

  test('a full check makes every unchanged object a suspect', () => {
    const found = plan({ desired: [desired('same')], inventory: [entry('same')], live: { same: meta() }, full: true });
    expect(names(found.suspects)).toEqual(['same']);
  });
});

describe('what is left alone', () => {
  test('an object of another delivery is refused', () => {
    const found = plan({ desired: [desired('taken')], live: { taken: meta({ deliveryLabel: 'delivery-2' }) } });
    expect(found.conflicts.map((one) => one.owner)).toEqual(['delivery-2']);
    expect(found.apply).toEqual([]);
  });

  test('ssa: Ignore, ssa: IfNotPresent with a live object, and reconcile: disabled on the live object', () => {
    const found = plan({
      desired: [desired('ignored', { mode: 'Ignore' }), desired('present', { mode: 'IfNotPresent' }), desired('frozen', { digest: 'd2' })],
      inventory: [entry('frozen')],
      live: { ignored: null, present: meta(), frozen: meta({ annotations: { 'kustomize.toolkit.fluxcd.io/reconcile': 'Disabled' } }) },
    });
    expect(found.unchanged).toBe(3);
  });
});

describe('what is pruned', () => {
  test('what left the source, with the recorded uid', () => {
    const found = plan({ inventory: [entry('old')], live: { old: meta() } });
    expect(found.prune.map((one) => [one.id, one.uid])).toEqual([['apps_old__ConfigMap', 'u1']]);
  });

  test('what was only intended and never made is forgotten; what was intended and is there is pruned by its live uid', () => {
    const intent = { state: 'intent', uid: null, appliedDigest: null } as const;
    const found = plan({ inventory: [entry('never', intent), entry('made', intent)], live: { never: null, made: meta({ uid: 'u9' }) } });
    expect(found.forget).toEqual(['apps_never__ConfigMap']);
    expect(found.prune.map((one) => one.uid)).toEqual(['u9']);
  });

  test('not what carries prune: disabled', () => {
    const found = plan({
      inventory: [entry('kept')],
      live: { kept: meta({ annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } }) },
    });
    expect(found.prune).toEqual([]);
    expect(found.forget).toEqual(['apps_kept__ConfigMap']);
  });
});

describe('the guard', () => {
  const leaving = (count: number): readonly Leaving[] =>
    Array.from({ length: count }, (_, index) => ({
      id: `apps_c${index}__ConfigMap`,
      ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'apps', name: `c${index}` },
      uid: `u${index}`,
      live: null,
    }));

  test.each([
    [{ count: 1, total: 1, rendered: 0 }, true],
    [{ count: 20, total: 21, rendered: 1 }, false],
    [{ count: 21, total: 41, rendered: 20 }, true],
    [{ count: 21, total: 42, rendered: 21 }, false],
    [{ count: 99, total: 1_000, rendered: 901 }, false],
    [{ count: 100, total: 1_000, rendered: 900 }, true],
  ])('%o waits: %s', ({ count, total, rendered }, waits) => {
    expect(pruneGuard({ prune: leaving(count), total, rendered, holding: [] }) !== null).toBe(waits);
  });

  test('something that still holds content waits', () => {
    expect(pruneGuard({ prune: leaving(1), total: 10, rendered: 9, holding: ['Namespace/apps'] })).toContain('Namespace/apps');
  });

  test('the approval digest is of the set, not of its order', () => {
    const some = leaving(3);
    expect(pruneDigest(some)).toBe(pruneDigest([...some].reverse()));
    expect(pruneDigest(some)).not.toBe(pruneDigest(some.slice(1)));
  });
});
