import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { textAt } from '#core/json.ts';
import { tenantObject } from '#deploy/demo/definitions.ts';
import { callPlane, expectPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { create } from '#deploy/demo/scene.ts';
import { type LocalAuthority, openLocalAuthority } from '#deploy/local/certificates.ts';
import { logIn } from '#deploy/local/oidc-login.ts';
import { freePort } from '#deploy/local/ports.ts';
import { type ClientWrite, lostWrites } from '#tests/harness/fault-checker.ts';
import { type FaultPlane, startFaultPlane, storesEnded } from '#tests/harness/fault-plane.ts';
import { embeddedDatabaseUrl, storedConfigMaps } from '#tests/harness/fault-rows.ts';
import { faultTenant } from '#tests/harness/fault-stage.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

/** Fault 2 of reliability.md: what was acknowledged survives the API's death; what was not happened wholly or not at all (INV-1). */

const dir = useTemporaryDir('file');
const children = useChildren('file');
const at: { stateDir: string; port: number; authority: LocalAuthority; plane: FaultPlane | null } = {} as never;
const history: ClientWrite[] = [];
/** reliability.md, fault 2. */
const READY_MS = 5_000;
const PATH = `/api/v1/namespaces/${faultTenant.namespace}/configmaps`;

beforeAll(async () => {
  at.stateDir = join(dir(), 'plane');
  at.port = await freePort();
  await mkdir(at.stateDir, { mode: 0o755 });
  at.authority = await openLocalAuthority(join(at.stateDir, 'ca'), 'fault tests');
  await start();
  await create(await enter('pat'), tenantObject(faultTenant, [{ subject: 'alice', role: 'admin' }]));
  await create(await enter('alice'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name: faultTenant.namespace } });
});

afterAll(async () => {
  await at.plane?.process.stop('SIGTERM', 20_000);
});

it.each([
  ['a1', 'POST', false],
  ['a2', 'POST', false],
  ['a3', 'POST', true],
  ['a1', 'PATCH', false],
  ['a3', 'PATCH', true],
] as const)('killed at %s of a %s', async (point, method, isThere) => {
  const name = `${point}-${method.toLowerCase()}`;
  const alice = await enter('alice');
  await write(alice, 'POST', `kept-${name}`, 'acknowledged');
  if (method === 'PATCH') await write(alice, 'POST', name, 'before');
  await at.plane?.process.stop('SIGKILL');
  await storesEnded(at.stateDir);

  await start({ WEIR_FAILPOINT: `${point}:kill` });
  const outcome = await write(await enter('alice'), method, name, 'after');
  expect(outcome, 'an answer came').toBe('unknown');
  await at.plane?.process.exited;
  await storesEnded(at.stateDir);

  const fromMs = Date.now();
  await start();
  expect(Date.now() - fromMs, 'ready again').toBeLessThan(READY_MS);
  const stored = await storedConfigMaps(await embeddedDatabaseUrl(at.stateDir));
  expect(lostWrites(history, stored)).toEqual([]);
  expect(stored.find((one) => one.name === name)?.content ?? 'nothing').toBe(isThere ? 'after' : method === 'PATCH' ? 'before' : 'nothing');
  // The member is one still: the demo provider's name did not change with the restart.
  expect(textAt(await expectPlane(await enter('alice'), 'GET', `${PATH}/kept-${name}`), 'data', 'value')).toBe('acknowledged');
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  at.plane = await startFaultPlane(children, {
    stateDir: at.stateDir,
    logFile: join(dir(), `plane-${Date.now()}.log`),
    port: at.port,
    env,
  });
}

async function enter(id: string): Promise<PlaneUser> {
  const caPem = at.authority.certificatePem;
  if (at.plane === null) throw new Error('no plane lives');
  return { url: at.plane.url, caPem, token: (await logIn(at.plane.issuer, caPem, id)).id_token };
}

/** One write, kept in the history with what came of it. */
async function write(user: PlaneUser, method: 'POST' | 'PATCH', name: string, value: string): Promise<ClientWrite['outcome']> {
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: faultTenant.namespace }, data: { value } };
  const [path, type] = method === 'POST' ? [PATH, 'application/json'] : [`${PATH}/${name}`, 'application/merge-patch+json'];
  const answer = await callPlane(user, method, path, body, type).catch(() => null);
  const outcome = answer === null ? 'unknown' : answer.status < 300 ? 'ok' : 'refused';
  history.push({ name, outcome, generation: null, content: value });
  return outcome;
}
