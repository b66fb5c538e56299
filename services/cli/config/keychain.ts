import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Environment } from '#services/cli/config/environment.ts';
import { unanswered } from '#services/cli/failure.ts';

/** The desktop's secret service. A secret goes through standard input, never through an argument. */
export type Keychain = Readonly<{
  read(server: string): Promise<string | null>;
  write(server: string, secret: string): Promise<void>;
  remove(server: string): Promise<void>;
}>;

const timeoutMs = 10_000;
const maxBytes = 256 * 1024;

/** libsecret's `secret-tool`, where it is on PATH and a session bus answers; null elsewhere, as on most servers. */
export async function findKeychain(env: Environment): Promise<Keychain | null> {
  if (env.dbusAddress === null) return null;
  const program = await onPath(env.path, 'secret-tool');
  if (program === null) return null;
  const attributes = (server: string): readonly string[] => ['application', 'weir', 'server', server];
  // A lookup that fails for another reason than "not found" means that no service answers.
  const probe = await run(program, ['lookup', ...attributes('probe')], '');
  if (probe.stderr.trim() !== '') return null;
  return Object.freeze({
    read: async (server: string) => {
      const { stdout } = await run(program, ['lookup', ...attributes(server)], '');
      return stdout === '' ? null : stdout;
    },
    write: async (server: string, secret: string) => {
      const { code, stderr } = await run(program, ['store', '--label', `weir ${server}`, ...attributes(server)], secret);
      if (code !== 0) throw unanswered(`the keychain did not take the login: ${stderr.trim().slice(0, 300)}`);
    },
    remove: async (server: string) => void (await run(program, ['clear', ...attributes(server)], '')),
  });
}

async function onPath(path: string, name: string): Promise<string | null> {
  for (const dir of path.split(delimiter)) {
    if (dir !== '' && (await isExecutable(join(dir, name)))) return join(dir, name);
  }
  return null;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: the next folder of PATH is asked.
    return false;
  }
}

function run(
  program: string,
  args: readonly string[],
  input: string,
): Promise<Readonly<{ code: number | null; stdout: string; stderr: string }>> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe', timeout: timeoutMs, killSignal: 'SIGKILL' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.length > maxBytes) child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = `${stderr}${text}`.slice(0, maxBytes);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
