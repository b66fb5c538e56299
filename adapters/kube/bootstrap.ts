import { type Account, parseAccount, userOf } from '#adapters/kube/account.ts';
import { type Answer, messageOf } from '#adapters/kube/answer.ts';
import { type BootstrapToken, bootstrapToken, type TenantCertificate, type TenantToken, tenantToken } from '#adapters/kube/credential.ts';
import { apiPath } from '#adapters/kube/paths.ts';
import type { Pool } from '#adapters/kube/pool.ts';
import { AppError } from '#core/errors.ts';
import { at, stringifyJson, textAt } from '#core/json.ts';

/** A token as the cluster granted it. `lifeMs` counts from the request by our own clock, so that a skewed clock over there does no harm. */
export type Minted = Readonly<{ value: string; lifeMs: number }>;

/**
 * All that the plane's standing credential of a cluster is ever used for: TokenRequest, `GET /version` and `GET /readyz`
 * (threats 4.5). Nothing else takes a BootstrapToken.
 */
export type Bootstrap = Readonly<{
  /** A token of an account. Throws AppError clusterRefused with the next step, clusterUnreachable. */
  mint(account: Account, seconds: number, signal: AbortSignal): Promise<Minted>;
  /** As mint, as a tenant's token. */
  mintTenant(
    account: Account,
    seconds: number,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Readonly<{ token: TenantToken; lifeMs: number }>>;
  /** `v1.37.2`. Throws AppError clusterRefused, clusterUnreachable. */
  version(signal: AbortSignal): Promise<string>;
  ready(signal: AbortSignal): Promise<boolean>;
}>;

const timeoutMs = 10_000;
const maxBytes = 64 * 1024;
/** kube-apiserver refuses less than 600 s to be asked for; what is granted below a minute could not be used. */
const leastLifeMs = 60_000;

/**
 * `credential` is asked for each call: it is rotated. A certificate is that of a tenant's own kubeconfig, which the pool's connections carry.
 * `name` is the cluster's, for messages.
 */
export function createBootstrap(pool: Pool, name: string, credential: () => Promise<string | TenantCertificate>): Bootstrap {
  async function token(): Promise<BootstrapToken | TenantCertificate> {
    const own = await credential();
    return typeof own === 'string' ? bootstrapToken(`the plane on cluster ${name}`, own) : own;
  }
  async function get(path: 'version' | 'readyz', signal: AbortSignal): Promise<Answer> {
    const credential = await token();
    const answer = await pool.request({ method: 'GET', path: apiPath(path), credential, timeoutMs, maxBytes, signal, isProbe: true });
    if (answer.status === 401 || answer.status === 403) throw refused(name);
    return answer;
  }
  async function mint(account: Account, seconds: number, signal: AbortSignal): Promise<Minted> {
    parseAccount(account);
    const path = apiPath('api', 'v1', 'namespaces', account.namespace, 'serviceaccounts', account.name, 'token');
    // No `audiences`: a standard API server accepts only its own, and clusters differ by signing key (threats F7).
    const body = stringifyJson({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: seconds } });
    const answer = await pool.request({
      method: 'POST',
      path,
      body,
      contentType: 'application/json',
      credential: await token(),
      timeoutMs,
      maxBytes,
      signal,
    });
    return mintedOf(answer, account, name);
  }
  return Object.freeze({
    mint,
    async mintTenant(account: Account, seconds: number, nowMs: number, signal: AbortSignal) {
      const minted = await mint(account, seconds, signal);
      return { token: tenantToken(userOf(account), minted.value, nowMs + minted.lifeMs), lifeMs: minted.lifeMs };
    },
    async version(signal: AbortSignal): Promise<string> {
      const version = textAt((await get('version', signal)).body ?? undefined, 'gitVersion');
      if (version === undefined) throw new AppError('clusterAnswer', `cluster ${name} does not tell its version`);
      return version.slice(0, 64);
    },
    async ready(signal: AbortSignal): Promise<boolean> {
      return (await get('readyz', signal)).status === 200;
    },
  });
}

function mintedOf(answer: Answer, account: Account, name: string): Minted {
  if (answer.status === 401) throw refused(name);
  if (answer.status === 403) {
    throw new AppError(
      'clusterRefused',
      `the plane may not make tokens of account ${userOf(account)} on cluster ${name}; run \`weir cluster onboard\` for this account`,
    );
  }
  if (answer.status === 404) {
    throw new AppError(
      'clusterRefused',
      `account ${userOf(account)} does not exist on cluster ${name}; create it, or run \`weir cluster onboard\` again`,
    );
  }
  if (answer.status >= 500)
    throw new AppError('clusterUnreachable', `cluster ${name} made no token of ${userOf(account)}: ${messageOf(answer)}`);
  const value = textAt(answer.body ?? undefined, 'status', 'token');
  const granted = at(answer.body ?? undefined, 'spec', 'expirationSeconds');
  if (answer.status !== 201 || value === undefined || typeof granted !== 'number') {
    throw new AppError('clusterAnswer', `cluster ${name} made no token of ${userOf(account)}: ${messageOf(answer)}`);
  }
  if (granted * 1_000 < leastLifeMs)
    throw new AppError('clusterAnswer', `cluster ${name} grants ${userOf(account)} tokens of only ${granted} s`);
  return { value, lifeMs: granted * 1_000 };
}

function refused(name: string): AppError {
  return new AppError('clusterRefused', `cluster ${name} refused the plane’s credential; run \`weir cluster onboard\` again`);
}
