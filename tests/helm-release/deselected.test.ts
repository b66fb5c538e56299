import { expect, test } from 'vitest';
import { at, isObject } from '#core/json.ts';
import { until } from '#deploy/demo/until.ts';
import { configMapPath } from '#tests/kustomization/app.ts';
import { useReleases } from './app.ts';

const releases = useReleases('hds');
const { app } = releases;
const MANY = `{{ range $index := until (int .Values.count) }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ $.Release.Name }}-{{ $index }}}
{{ end }}`;
const there = async (cluster: string, name: string) => (await app.live(cluster, configMapPath(`${name}-0`))) !== null;

/** What the delivery on one cluster says of itself; null when there is none. */
async function said(name: string, cluster: string): Promise<string | null> {
  const { status, body } = await app.get('Delivery', `helmrelease.${name}.${cluster}`);
  if (status === 404) return null;
  const conditions = at(body, 'status', 'conditions');
  const ready = (Array.isArray(conditions) ? conditions : []).find((one) => isObject(one) && one['type'] === 'Ready');
  return JSON.stringify(ready ?? {});
}

test('a deselected cluster keeps a large release until it is approved, and lets a small one go at once', { timeout: 180_000 }, async () => {
  await releases.chart('1.0.0', { 'maps.yaml': MANY });
  const large = await releases.release('large', { values: { count: 21 } });
  const small = await releases.release('small', { values: { count: 2 } });
  await app.place([large, small], ['north', 'south'], 'HelmRelease');
  for (const name of [large, small]) await releases.ready(name, 'True');
  await app.patch('Placement', `${large}-place`, { spec: { clusters: { names: ['north'] } } });
  const waiting = await until(
    'the large one waits',
    60_000,
    100,
    async () => {
      const text = await said(large, 'south');
      return text?.includes('PruneApprovalRequired') === true ? text : null;
    },
    async () => String(await said(large, 'south')),
  );
  expect(waiting).toContain('it would delete 21 of 21 objects');
  expect(waiting).toContain('annotate the HelmRelease');
  await expect.poll(() => said(small, 'south'), { timeout: 30_000 }).toBe(null);
  expect(await there('south', small)).toBe(false);
  expect(await there('south', large)).toBe(true);
  const digest = /weir\.dev\/approve-prune=([0-9a-f]+)/.exec(waiting)?.[1] ?? '';
  await app.patch('HelmRelease', large, { metadata: { annotations: { 'weir.dev/approve-prune': digest } } });
  await expect.poll(() => said(large, 'south'), { timeout: 60_000 }).toBe(null);
  expect(await there('south', large)).toBe(false);
  expect(await there('north', large)).toBe(true);
});
