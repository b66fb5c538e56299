import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { readConfig } from '#core/config.ts';

const TIMEOUT_MS = 4_000;

/** Health check of the container: exit code 0 when the API in it answers /readyz with 200. Names are not compared, since it asks by the loopback address. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const ca = await readFile(config.tlsCertFile ?? join(config.stateDir, 'ca', 'ca.crt'), 'utf8');
  const status = await ask({ ca, port: config.port });
  if (status !== 200) throw new Error(`/readyz answered ${status}`);
}

function ask({ ca, port }: Readonly<{ ca: string; port: number }>): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/readyz',
      ca,
      allowPartialTrustChain: true,
      checkServerIdentity: () => undefined,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    const outgoing = request(options, (incoming) => {
      incoming.resume();
      incoming.once('end', () => resolve(incoming.statusCode ?? 0));
      incoming.once('error', reject);
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

try {
  await main();
} catch (error) {
  process.stderr.write(`not ready: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
