import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { type LocalAuthority, localServerCertificate } from '#deploy/local/certificates.ts';
import type { Children } from '#deploy/local/children.ts';
import { freePort } from '#deploy/local/ports.ts';
import { startProcess } from '#deploy/local/process.ts';
import type { PreparedCommand } from '#deploy/local/tool-paths.ts';

export type RegistryServer = Readonly<{
  /** `127.0.0.1:<port>`. */
  host: string;
  url: string;
  username: string;
  password: string;
  logFile: string;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const address = '127.0.0.1';
const readyTimeoutMs = 20_000;
const username = 'weir';
const password = 'local-only-password';
/** bcrypt of that password, which the registry insists on; it protects nothing but a test registry on this machine. */
const htpasswd = '$2y$05$abcdefghijklmnopqrstuumeSwJnMvvPLQ.fDXmOZxQxUJ.YoOyz6';

/** A real OCI registry (CNCF Distribution) on a free port of 127.0.0.1 with TLS and basic authentication; its content lives in `dir`. Throws ProcessError. */
export async function startRegistry(
  children: Children,
  options: Readonly<{ dir: string; program: PreparedCommand; authority: LocalAuthority }>,
): Promise<RegistryServer> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const dir = await realpath(options.dir);
  const port = await freePort();
  const host = `${address}:${port}`;
  const logFile = join(dir, 'registry.log');
  const certificate = await localServerCertificate(options.authority, 'registry');
  await writeFile(join(dir, 'tls.crt'), certificate.certificatePem, { mode: 0o600 });
  await writeFile(join(dir, 'tls.key'), certificate.keyPem, { mode: 0o600 });
  await writeFile(join(dir, 'htpasswd'), `${username}:${htpasswd}\n`, { mode: 0o600 });
  await writeFile(join(dir, 'config.yml'), JSON.stringify(settings(dir, host), null, 2), { mode: 0o600 });
  const [command, ...args] = options.program.command;
  if (command === undefined) throw new Error('the command of the registry is empty');
  const running = await startProcess(children, {
    name: 'OCI registry',
    command,
    args: [...args, 'serve', join(dir, 'config.yml')],
    env: options.program.env,
    cwd: dir,
    logFile,
    ready: () => answers(port, options.authority.certificatePem),
    readyTimeoutMs,
  });
  const stop = async (): Promise<void> => void (await running.stop());
  return Object.freeze({ host, url: `https://${host}`, username, password, logFile, stop, [Symbol.asyncDispose]: stop });
}

/** Its configuration is YAML, of which JSON is a part. */
function settings(dir: string, host: string): Readonly<Record<string, unknown>> {
  return {
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(dir, 'content') }, delete: { enabled: true } },
    http: { addr: host, secret: 'local-only', tls: { certificate: join(dir, 'tls.crt'), key: join(dir, 'tls.key') } },
    auth: { htpasswd: { realm: 'local', path: join(dir, 'htpasswd') } },
  };
}

/** It answers 401: it is there, and it asks who is there. */
function answers(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: address, port, path: '/v2/', ca, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 401);
    });
    asked.once('timeout', () => asked.destroy());
    // Nobody listens yet: the time limit of the start tells in the end.
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
