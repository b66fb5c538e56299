import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isObject, type JsonObject, parseJson, textAt } from '#core/json.ts';
import { reasonOf, refused } from '#services/cli/failure.ts';

const run = promisify(execFile);
const maxBytes = 1024 * 1024;

export type ExecUser = Readonly<{
  apiVersion: string;
  command: string;
  args: readonly string[];
  env: readonly Readonly<{ name: string; value: string }>[];
}>;
export type ExecCredential = Readonly<{ token: string | null; certificatePem: string | null; keyPem: string | null }>;

/**
 * Runs the credential plugin of the operator's own kubeconfig, as kubectl would, but with a time limit: client-node waits for ever
 * (libraries.md section 6). The plugin is not asked to talk to anybody. Throws CliFailure (exit 1).
 */
export async function runExecPlugin(user: ExecUser, limits: Readonly<{ timeoutMs: number }>, signal: AbortSignal): Promise<ExecCredential> {
  const info = { apiVersion: user.apiVersion, kind: 'ExecCredential', spec: { interactive: false } };
  const own = Object.fromEntries(user.env.map(({ name, value }) => [name, value]));
  const env = { ...process.env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  try {
    const { stdout } = await run(user.command, [...user.args], {
      env,
      timeout: limits.timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: maxBytes,
      signal,
    });
    return credentialOf(stdout);
  } catch (error) {
    signal.throwIfAborted();
    const killed = isObject(error) && error['killed'] === true;
    const why = killed ? `it did not end within ${limits.timeoutMs / 1_000} s` : firstLine(error);
    throw refused(`the credential plugin ${JSON.stringify(user.command)} of the kubeconfig gave no credential: ${why}`, {
      next: 'log in to the cluster so that kubectl works with this context, then run the same command',
    });
  }
}

function credentialOf(stdout: string): ExecCredential {
  const answer = parseJson(stdout);
  const status: JsonObject = isObject(answer) && isObject(answer['status']) ? answer['status'] : {};
  const found = {
    token: textAt(status, 'token') ?? null,
    certificatePem: textAt(status, 'clientCertificateData') ?? null,
    keyPem: textAt(status, 'clientKeyData') ?? null,
  };
  if (found.token === null && found.certificatePem === null) throw new Error('its answer holds neither a token nor a certificate');
  return found;
}

/** What the plugin said itself says most; its standard output is never shown, since it may hold a credential. */
function firstLine(error: unknown): string {
  const stderr = typeof error === 'object' && error !== null ? Reflect.get(error, 'stderr') : undefined;
  const text = typeof stderr === 'string' && stderr.trim() !== '' ? stderr.trim() : reasonOf(error);
  return text.split('\n', 1)[0]?.slice(0, 500) ?? '';
}
