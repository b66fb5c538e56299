import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordArtifact } from '#adapters/postgres/artifacts.ts';
import { openTenantDb } from '#adapters/postgres/tenant-db.ts';
import { silentLog } from '#core/log.ts';
import { systemClock } from '#core/time.ts';
import { type TestTenant, usePlane } from '#tests/postgres/plane.ts';
import { configMap, openWorkshop, type Workshop } from '#tests/render/workshop.ts';
import { ARTIFACT_KEEP_MS, collectArtifacts } from '#workers/collect-artifacts.ts';

/** A source worker that runs alone collects what no tenant's row names. */

const plane = usePlane();
let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.close());

/** Stored long ago, as far as the store can tell. */
async function stored(name: string): Promise<string> {
  const digest = await shop.publish({ 'app.yaml': configMap(name) });
  const hex = digest.slice('sha256:'.length);
  const longAgo = new Date(Date.now() - 2 * ARTIFACT_KEEP_MS);
  await utimes(join(shop.root, 'store', 'sha256', hex.slice(0, 2), `${hex}.tar.gz`), longAgo, longAgo);
  return digest;
}

async function own(tenant: TestTenant, digest: string): Promise<void> {
  await plane.db.inTenant(tenant.scope, (tx) =>
    recordArtifact(tx, { digest, revision: 'main@sha1:0', sourceUid: tenant.tenantId, sizeBytes: 1 }),
  );
}

const digests = async () => new Set((await shop.store.list()).map((one) => one.digest));

test('what any tenant names stays, what is young stays, the rest goes', async () => {
  const [one, other] = [await plane.newTenant(), await plane.newTenant()];
  const [first, shared, orphan] = [await stored('first'), await stored('shared'), await stored('orphan')];
  await own(one, first);
  await own(one, shared);
  await own(other, shared);
  const young = await shop.publish({ 'app.yaml': configMap('young') });
  const deps = { db: plane.db, artifacts: shop.store, clock: systemClock, worker: 'worker-source' };
  expect(await collectArtifacts(deps)).toBe(1);
  expect(await digests()).toEqual(new Set([first, shared, young]));
  expect((await digests()).has(orphan)).toBe(false);
  await plane.ask('delete from weir.artifacts where tenant_id = $1', [one.tenantId]);
  expect(await collectArtifacts(deps)).toBe(1);
  expect(await digests()).toEqual(new Set([shared, young]));
});

test('when a tenant cannot be asked nothing goes: unknown is not unused', async () => {
  const orphan = await stored('kept');
  await plane.newTenant();
  const away = await openTenantDb({ url: plane.appUrl, maxConnections: 2, log: silentLog });
  await away.close();
  await expect(collectArtifacts({ db: away, artifacts: shop.store, clock: systemClock, worker: 'worker-source' })).rejects.toThrow();
  expect((await digests()).has(orphan)).toBe(true);
});
