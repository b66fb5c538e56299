import { get } from 'node:http';
import { createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type Dependency, type HealthServer, openHealth } from './health.ts';

const opened: HealthServer[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function open(dependencies: readonly Dependency[]): Promise<string> {
  const health = await openHealth({ listen: '127.0.0.1', port: await freePort(), dependencies });
  opened.push(health);
  return `http://127.0.0.1:${health.port}`;
}

function ask(url: string): Promise<Readonly<{ status: number; text: string }>> {
  return new Promise((resolve, reject) => {
    get(url, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (piece: string) => {
        text += piece;
      });
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    }).once('error', reject);
  });
}

const fine: Dependency = { name: 'database', trouble: async () => null };

it('is alive, and ready while all answers', async () => {
  const url = await open([fine]);
  expect(await ask(`${url}/healthz`)).toEqual({ status: 200, text: 'ok\n' });
  expect(await ask(`${url}/readyz?verbose`)).toEqual({ status: 200, text: '[+]database ok\n' });
  expect((await ask(`${url}/metrics`)).status).toBe(404);
});

it.each([
  ['says why', { name: 'queue', trouble: async () => 'the queue does not answer' }, 'the queue does not answer'],
  ['tells no text of an error', { name: 'queue', trouble: () => Promise.reject(new Error('redis://:secret@h')) }, 'the log has the reason'],
  ['hangs', { name: 'queue', trouble: () => new Promise<never>(() => undefined) }, 'no answer within 2000 ms'],
])('a dependency that %s makes it unready, not dead', async (_case, broken, said) => {
  const url = await open([fine, broken]);
  const { status, text } = await ask(`${url}/readyz`);
  expect([status, text.includes('secret')]).toEqual([503, false]);
  expect(text).toContain(`[-]queue failed: `);
  expect(text).toContain(said);
  expect((await ask(`${url}/healthz`)).status).toBe(200);
});

it('opens nothing for port 0, and throws for one that is taken', async () => {
  expect((await openHealth({ listen: '127.0.0.1', port: 0, dependencies: [] })).port).toBeNull();
  const port = Number(new URL(await open([fine])).port);
  await expect(openHealth({ listen: '127.0.0.1', port, dependencies: [] })).rejects.toThrow('EADDRINUSE');
});
