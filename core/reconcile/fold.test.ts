import { describe, expect, test } from 'vitest';
import { brokenStatusRules, conditionsFor, readConditions } from '../conditions.ts';
import type { JsonObject } from '../json.ts';
import type { Outcome } from '../outcome.ts';
import type { StoredObject } from '../store.ts';
import { foldFor } from './fold.ts';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const base: StoredObject = {
  tenantId: '00000000-0000-4000-8000-00000000000a',
  kind: 'Kustomization',
  uid: '00000000-0000-4000-8000-00000000000b',
  namespace: 'team-a',
  name: 'web',
  generation: 2,
  resourceVersion: '1',
  createdAtMs: NOW,
  deletingAtMs: null,
  labels: {},
  annotations: {},
  finalizers: [],
  ownerReferences: [],
  managedFields: [],
  body: {},
  status: null,
  sealedKeys: [],
  createdBy: '',
};
const fold = foldFor('Kustomization');

function delivery(cluster: string, outcome: Outcome | null, extra: JsonObject = {}): StoredObject {
  const conditions = outcome === null ? [] : conditionsFor({ outcome, extras: [], previous: [], generation: 2, nowMs: NOW });
  const settled = outcome?.is === 'ready' || outcome?.is === 'stalled' ? { observedGeneration: 2 } : {};
  const status = outcome === null ? null : { ...extra, ...settled, conditions: conditions as unknown as JsonObject[] };
  return {
    ...base,
    kind: 'Delivery',
    name: `kustomization.web.${cluster}`,
    body: { spec: { cluster: { namespace: 'weir-system', name: cluster } } },
    status,
  };
}

const ready: Outcome = {
  is: 'ready',
  reason: 'ReconciliationSucceeded',
  message: 'Applied revision: main@sha1:1',
  revision: 'main@sha1:1',
};
const failed: Outcome = { is: 'failed', reason: 'BuildFailed', message: 'no such file' };
const unreachable: Outcome = { is: 'failed', reason: 'ClusterUnreachable', message: 'no answer' };
const stalled: Outcome = { is: 'stalled', reason: 'AccessDenied', message: 'not yours' };
const waiting: Outcome = { is: 'waiting', reason: 'DependencyNotReady', message: 'infra first', afterMs: 1_000 };

function readyOf(status: JsonObject) {
  return readConditions(status).find((one) => one.type === 'Ready');
}

describe('one delivery', () => {
  test('shows through as Flux would write it, without our own fields', () => {
    const status = fold(base, [
      delivery('one', ready, {
        lastAppliedRevision: 'main@sha1:1',
        inventory: { entries: [{ id: 'a', v: 'v1' }] },
        renderDigest: 'x',
        healthSince: { digest: '', sinceMs: 0 },
      }),
    ]);
    expect(status).toMatchObject({
      observedGeneration: 2,
      lastAppliedRevision: 'main@sha1:1',
      inventory: { entries: [{ id: 'a', v: 'v1' }] },
    });
    expect(Object.keys(status)).not.toEqual(expect.arrayContaining(['renderDigest']));
    expect(Object.keys(status)).not.toEqual(expect.arrayContaining(['healthSince']));
    expect(readyOf(status)?.message).toBe('Applied revision: main@sha1:1');
  });

  test('that was not reconciled yet leaves the observed generation behind', () => {
    expect(fold(base, [delivery('one', null)])).toMatchObject({ observedGeneration: -1 });
  });
});

describe('many deliveries', () => {
  test.each([
    ['all ready', [ready, ready], 'True', 'ReconciliationSucceeded', 'Applied revision: main@sha1:1 (2 clusters)'],
    ['one failed', [ready, failed], 'False', 'BuildFailed', '1 of 2 clusters ready; not ready: c1. c1: no such file'],
    ['one unreachable', [unreachable, ready], 'False', 'ClusterUnreachable', '1 of 2 clusters ready; not ready: c0. c0: no answer'],
    [
      'failed is worse than unreachable',
      [unreachable, failed],
      'False',
      'BuildFailed',
      '0 of 2 clusters ready; not ready: c0, c1. c1: no such file',
    ],
    ['one waits', [ready, waiting], 'False', 'DependencyNotReady', '1 of 2 clusters ready; not ready: c1. c1: infra first'],
    ['one not looked at yet', [ready, null], 'Unknown', 'Progressing', '1 of 2 clusters ready; not ready: c1. c1: not reconciled yet'],
    ['one stalled', [ready, stalled], 'False', 'AccessDenied', '1 of 2 clusters ready; not ready: c1. c1: not yours'],
    ['all stalled', [stalled, stalled], 'False', 'AccessDenied', '0 of 2 clusters ready; not ready: c0, c1. c0: not yours'],
  ] as const)('%s', (_name, outcomes, status, reason, message) => {
    const deliveries = outcomes.map((outcome, index) => delivery(`c${index}`, outcome, { lastAppliedRevision: 'main@sha1:1' }));
    const folded = fold(base, deliveries);
    expect(readyOf(folded)).toMatchObject({ status, reason, message });
    expect(brokenStatusRules({ generation: 2, status: folded })).toEqual([]);
  });

  test('show what they share and nothing that is one cluster’s', () => {
    const folded = fold(base, [
      delivery('a', ready, { lastAppliedRevision: 'r1', inventory: { entries: [] } }),
      delivery('b', ready, { lastAppliedRevision: 'r2' }),
    ]);
    expect(Object.keys(folded).sort()).toEqual(['conditions', 'observedGeneration']);
  });
});
