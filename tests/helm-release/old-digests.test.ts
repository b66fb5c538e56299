import { expect, test } from 'vitest';
import { readRecord } from '#adapters/helm/storage.ts';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { callPlane } from '#deploy/demo/plane-client.ts';
import { snapshotsOf } from '#kinds/helm-release/records.ts';
import { MAP, useHostileCharts } from '#tests/attacks/hostile-charts.ts';
import { asSuperuser, pathOf } from '#tests/attacks/two-tenants.ts';

const charts = useHostileCharts('od', () => ({ web: { 'templates/m.yaml': `${MAP}data: {colour: {{ .Values.colour | quote }}}\n` } }));
const DELIVERY = 'helmrelease.od-web.east';
const requestedAt = 'reconcile.fluxcd.io/requestedAt';

async function historyNow(): Promise<readonly JsonObject[]> {
  const { body } = await callPlane(charts.alice(), 'GET', pathOf('HelmRelease', 'team-a', 'od-web'));
  const history = at(body, 'status', 'history');
  return (Array.isArray(history) ? history : []).filter(isObject);
}

test('a status with the plain digests of an earlier version is taken over as it is: no upgrade, and its digests become keyed', {
  timeout: 90_000,
}, async () => {
  expect(await charts.released('web', { values: { colour: 'blue' } })).toMatchObject({ status: 'True', reason: 'InstallSucceeded' });
  const before = await historyNow();
  expect(before[0]?.['apiVersion']).toBe('v3');
  const { body } = await charts.onCluster('GET', '/api/v1/namespaces/team-a/secrets/sh.helm.release.v1.od-web.v1');
  const record = readRecord(body);
  const secret = { name: '', uid: '', resourceVersion: '', deliveryLabel: null };
  const [plain] = await snapshotsOf({ keyed: async (digest) => digest }, [{ ...record, secret }]);
  expect(plain?.digest).not.toBe(before[0]?.['digest']);
  const old = [{ ...before[0], ...plain, apiVersion: 'v2' }];
  const changed = await asSuperuser(charts.plane(), (client) =>
    client.query(
      `update weir.objects set status = jsonb_set(jsonb_set(status::jsonb, '{history}', $1::jsonb), '{lastAttemptedConfigDigest}', to_jsonb($2::text))::json
       where kind = 'Delivery' and name = $3`,
      [JSON.stringify(old), plain?.configDigest, DELIVERY],
    ),
  );
  expect(changed.rowCount).toBe(1);
  const path = pathOf('HelmRelease', 'team-a', 'od-web');
  await callPlane(charts.alice(), 'PATCH', path, { metadata: { annotations: { [requestedAt]: 'now' } } }, 'application/merge-patch+json');
  const handled = async () => textAt((await callPlane(charts.alice(), 'GET', path)).body, 'status', 'lastHandledReconcileAt');
  await expect.poll(handled, { timeout: 30_000 }).toBe('now');
  expect(await historyNow()).toEqual(before);
  const next = await charts.onCluster('GET', '/api/v1/namespaces/team-a/secrets/sh.helm.release.v1.od-web.v2');
  expect(next.status).toBe(404);
  const again = await charts.onCluster('GET', '/api/v1/namespaces/team-a/secrets/sh.helm.release.v1.od-web.v1');
  expect(at(again.body, 'metadata', 'resourceVersion')).toBe(at(body, 'metadata', 'resourceVersion'));
});
