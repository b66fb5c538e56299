import { fileURLToPath } from 'node:url';
import { systemClock } from '#core/time.ts';
import type { Cli } from '#services/cli/cli.ts';
import { readEnvironment } from '#services/cli/config/environment.ts';
import { run } from '#services/cli/program.ts';
import { processIo } from '#services/cli/term/io.ts';
import { narrator } from '#services/cli/term/narrate.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort(new Error('interrupted')));
// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', () => process.exit(0));

const env = readEnvironment(process.env, process.platform);
const io = processIo(env);
const cli: Cli = Object.freeze({
  env,
  io,
  narrate: narrator(io),
  clock: systemClock,
  signal: interruption.signal,
  program: fileURLToPath(new URL('../../bin/weir.js', import.meta.url)),
});
process.exitCode = await run(process.argv.slice(2), cli);
