import { mkdir, readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { resolve } from 'node:path';
import { ConfigError, readConfig } from '#core/config.ts';
import { openChildren } from '#deploy/local/children.ts';
import { loadToolPaths } from '#deploy/local/tool-paths.ts';
import { AlreadyRunning, lockInstance } from '#deploy/plane/lock.ts';
import { type Plane, startPlane } from '#deploy/single.ts';

/** `npm start`: the whole plane on this machine. `--json` prints one line for scripts when it is ready. */
async function main(): Promise<void> {
  const json = process.argv.includes('--json');
  const config = readConfig(process.env);
  const stateDir = resolve(config.stateDir);
  await mkdir(stateDir, { recursive: true, mode: 0o755 });
  const children = openChildren();
  const lock = await lockInstance(stateDir);
  const ending = waitForEnd();
  try {
    const tools = await loadToolPaths({ only: ['kustomize', 'helm', 'helmInside', 'redis', 'bwrap'] });
    const plane = await startPlane({ config, children, tools, version: await version(), logTo: 'stdout' });
    await lock.announce(plane.url);
    announce(plane, json);
    // Now and not at the end: one that is killed comes back sooner.
    flushCompileCache();
    await ending;
    await plane.stop();
  } finally {
    await lock.release();
    children.killAll();
  }
}

/** Settles at the first signal that asks us to end. */
function waitForEnd(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => done());
  });
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : '0.0.0';
}

function announce(plane: Plane, json: boolean): void {
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ event: 'ready', url: plane.url, caFile: plane.caFile, issuer: plane.issuer, notes: plane.notes })}\n`,
    );
    return;
  }
  const lines = [
    `Weir listens on ${plane.url} (CA: ${plane.caFile})`,
    ...plane.notes,
    `Log in: npm run weir -- login --server ${plane.url} --ca ${plane.caFile}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

try {
  await main();
} catch (error) {
  const known = error instanceof AlreadyRunning || error instanceof ConfigError;
  process.stderr.write(
    `${known || !(error instanceof Error) ? String(error instanceof Error ? error.message : error) : (error.stack ?? error.message)}\n`,
  );
  process.exitCode = 1;
}
process.exit();
