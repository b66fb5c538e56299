import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { expect, test } from 'vitest';
import { readConfig } from '#core/config.ts';
import { at } from '#core/json.ts';
import { callPlane, expectPlane, type PlaneUser } from '#deploy/demo/plane-client.ts';
import { logIn } from '#deploy/local/oidc-login.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { startPlane } from '#deploy/single.ts';
import { useChildren, useTemporaryDir } from '#tests/harness/hooks.ts';

const dir = useTemporaryDir();
const children = useChildren();

async function get(url: string, caPem: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ca: caPem }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.once('end', () => resolve(text));
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

test('where no Redis can be had, the plane says so and does its work through PostgreSQL', async () => {
  const tools = await loadToolPaths({ only: ['kustomize', 'helm', 'helmInside', 'bwrap'] });
  const config = readConfig({ WEIR_STATE_DIR: dir(), WEIR_PORT: '0', WEIR_LOG_LEVEL: 'error' });
  const plane = await startPlane({ config, children, tools: { ...tools, redis: null }, version: '0.0.0', logTo: 'stderr' });
  try {
    expect(plane.notes.join('\n')).toContain('PostgreSQL stands in, because no redis-server is at hand; install it');
    const caPem = await readFile(plane.caFile, 'utf8');
    expect(await get(`${plane.url}/readyz?verbose`, caPem)).toContain('PostgreSQL (no Redis');
    const user = async (id: string): Promise<PlaneUser> => ({
      url: plane.url,
      caPem,
      token: (await logIn(plane.issuer, caPem, id)).id_token,
    });
    const [pat, alice] = await Promise.all([user('pat'), user('alice')]);
    await expectPlane(pat, 'POST', '/apis/weir.dev/v1/tenants', {
      apiVersion: 'weir.dev/v1',
      kind: 'Tenant',
      metadata: { name: 'team-a' },
      spec: { namespaces: { names: ['team-a'] }, members: [{ subject: 'alice', role: 'admin' }] },
    });
    await expectPlane(alice, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a' } });
    const sources = '/apis/source.toolkit.fluxcd.io/v1/namespaces/team-a/gitrepositories';
    const source = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'app', namespace: 'team-a' },
      spec: { url: 'https://127.0.0.1:1/app.git', interval: '10m' },
    };
    await expectPlane(alice, 'POST', sources, source);
    // Loopback is private: the run that says so came through the queue.
    await expect
      .poll(async () => JSON.stringify(at((await callPlane(alice, 'GET', `${sources}/app`)).body, 'status')), { timeout: 15_000 })
      .toContain('WEIR_EGRESS_ALLOW');
  } finally {
    await plane.stop();
  }
}, 90_000);
