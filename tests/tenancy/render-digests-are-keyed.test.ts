import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordArtifact } from '#adapters/postgres/artifacts.ts';
import { type KeyRing, openKeyRing } from '#adapters/postgres/key-ring.ts';
import { openKeyFile } from '#adapters/postgres/keys-file.ts';
import { canonicalJson } from '#core/json.ts';
import type { Rendered } from '#core/ports.ts';
import { useTemporaryDir } from '#tests/harness/hooks.ts';
import { type TestTenant, usePlane } from '#tests/postgres/plane.ts';
import { configMap, never, openWorkshop, plainBuild, type Workshop } from '#tests/render/workshop.ts';
import { renderFor } from '#workers/ports/render.ts';

/** Digests of rendered content stand in status, history and ledger, which every viewer reads; the content may hold substituted values of Secrets. */

const plane = usePlane();
const dir = useTemporaryDir('file');
let shop: Workshop;
let keys: KeyRing;

beforeAll(async () => {
  shop = await openWorkshop();
  keys = openKeyRing(await openKeyFile(join(dir(), 'kek')), () => Date.now());
});
afterAll(() => shop.close());

const FILES = { 'app.yaml': configMap('app', { pin: '${pin}' }) };

async function rendered(tenant: TestTenant, pin: string, ring = keys): Promise<Rendered> {
  const artifactDigest = await shop.publish(FILES);
  await plane.db.inTenant(tenant.scope, (tx) =>
    recordArtifact(tx, { digest: artifactDigest, revision: 'main@sha1:0', sourceUid: tenant.tenantId, sizeBytes: 1 }),
  );
  const port = renderFor({ db: plane.db, keys: ring, renderFor: (scope) => shop.engine.forTenant(scope) }, tenant.scope);
  const input = { artifactDigest, path: './', build: plainBuild, substitution: { variables: { pin }, always: false } };
  return port.render(input, { timeoutMs: 30_000 }, never);
}

test('whoever knows everything but the secret value cannot test guesses against a digest', async () => {
  const tenant = await plane.newTenant();
  const secret = await rendered(tenant, '4711');
  const guesses = Array.from({ length: 10_000 }, (_, pin) => String(pin).padStart(4, '0'));
  // What a reader can build: the rendered objects with each guess, digested as the engine does.
  const found = guesses.filter((guess) => {
    const objects = secret.objects.map((one) => ({ ...one, data: { pin: Number(guess) } }));
    const asText = secret.objects.map((one) => ({ ...one, data: { pin: guess } }));
    return [objects, asText].some((one) => `sha256:${createHash('sha256').update(canonicalJson(one)).digest('hex')}` === secret.digest);
  });
  expect(found).toEqual([]);
  // The benign twin: the guesser is right about everything else, since the plain digest of the true objects is what the engine itself has.
  const plain = await shop.render(FILES, { variables: { pin: '4711' }, tenantId: tenant.tenantId });
  expect(plain.digest).toBe(`sha256:${createHash('sha256').update(canonicalJson(plain.objects)).digest('hex')}`);
  expect(plain.objects).toEqual(secret.objects);
  expect([secret.digest, secret.inputDigest]).not.toContain(plain.digest);
  expect(secret.inputDigest).not.toBe(plain.inputDigest);
});

test('equal content of one tenant has equal digests, over restarts too; another tenant’s differ', async () => {
  const [one, other] = [await plane.newTenant(), await plane.newTenant()];
  const first = await rendered(one, 'a');
  const restarted = openKeyRing(await openKeyFile(join(dir(), 'kek')), () => Date.now());
  const again = await rendered(one, 'a', restarted);
  expect([again.digest, again.inputDigest]).toEqual([first.digest, first.inputDigest]);
  const changed = await rendered(one, 'b');
  expect(changed.digest).not.toBe(first.digest);
  const foreign = await rendered(other, 'a');
  expect(foreign.objects).toEqual(first.objects);
  expect([foreign.digest, foreign.inputDigest]).not.toEqual([first.digest, first.inputDigest]);
  for (const digest of [first.digest, first.inputDigest, foreign.digest]) expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
});

test('renders that were cached before digests were keyed are used: only what leaves the port changed', async () => {
  const tenant = await plane.newTenant();
  // As a release before did: the engine alone, with the same cache folder.
  await shop.render(FILES, { variables: { pin: 'c' }, tenantId: tenant.tenantId });
  const runs = shop.runs();
  const keyed = await rendered(tenant, 'c');
  expect(keyed.cached).toBe(true);
  expect(shop.runs()).toBe(runs);
});
