import { spawnSync } from 'node:child_process';

/** Takes bubblewrap's arguments and runs the program on the bare machine: what the self-test of the sandbox has to find out. */
const args = process.argv.slice(2);
const binds = new Map<string, string>();
for (const [index, word] of args.entries()) if (word === '--ro-bind') binds.set(args[index + 2] ?? '', args[index + 1] ?? '');
const [program = '', ...rest] = args.slice(args.lastIndexOf('--') + 1).map((word) => binds.get(word) ?? word);
const result = spawnSync(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
process.stdout.write(result.stdout);
process.stderr.write(result.stderr);
process.exitCode = result.status ?? 1;
