import { beforeAll, expect, it } from 'vitest';
import { useApi } from '#tests/contract/api-server.ts';

const api = useApi();
const path = '/api/v1/namespaces/acme/configmaps';
const merge = { 'content-type': 'application/merge-patch+json' };

beforeAll(() => api.newTenant('acme', { jane: 'admin' }));

/** Others write the object all the time, as the runtime does with status. */
async function busy(name: string, writes: number): Promise<void> {
  for (let index = 0; index < writes; index += 1) {
    await api.ask(`${path}/${name}`, { method: 'PATCH', as: 'jane', body: { data: { beat: String(index) } }, headers: merge });
  }
}

it('a DELETE and a PATCH that ask for no version win against other writers', async () => {
  for (let round = 0; round < 8; round += 1) {
    const name = `busy-${round}`;
    const made = await api.ask(path, { method: 'POST', as: 'jane', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } } });
    expect(made.status, made.text).toBe(201);
    const writers = [busy(name, 6), busy(name, 6)];
    const patched = await api.ask(`${path}/${name}`, {
      method: 'PATCH',
      as: 'jane',
      body: { metadata: { labels: { mine: 'yes' } } },
      headers: merge,
    });
    expect(patched.status, patched.text).toBe(200);
    const gone = await api.ask(`${path}/${name}`, { method: 'DELETE', as: 'jane' });
    expect(gone.status, gone.text).toBe(200);
    await Promise.all(writers);
    expect((await api.ask(`${path}/${name}`, { as: 'jane' })).status).toBe(404);
  }
});

it('a DELETE that names another version is a conflict', async () => {
  await api.ask(path, { method: 'POST', as: 'jane', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'versioned' } } });
  const body = { preconditions: { resourceVersion: '1' } };
  expect((await api.ask(`${path}/versioned`, { method: 'DELETE', as: 'jane', body })).status).toBe(409);
});
