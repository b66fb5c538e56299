import { type ChartLogin, type ChartSecrets, chartLogin, type NamedSecret, type RegistryLogin, registryLogin } from '#core/chart-login.ts';
import { durationMs } from '#core/duration.ts';
import { at, textAt } from '#core/json.ts';
import type { Ctx } from '#core/kind.ts';
import { parseOciUrl } from '#core/oci-values.ts';
import type { StoredObject } from '#core/store.ts';
import type { HelmChartNeed, HelmChartObj } from './observe.ts';

type SecretsCtx = Pick<Ctx<HelmChartNeed>, 'secrets'>;
type Failed = Readonly<{ is: 'failed'; message: string }>;

export const DEFAULT_TIMEOUT_MS = 60_000;

export function sourceOf(ctx: Pick<Ctx<HelmChartNeed>, 'lookup'>, { definition, spec }: HelmChartObj): Promise<StoredObject | null> {
  return ctx.lookup.get({ kind: spec.sourceRef.kind, namespace: definition.namespace, name: spec.sourceRef.name });
}

export function isRegistry(source: StoredObject): boolean {
  return source.kind === 'HelmRepository' && textAt(source.body, 'spec', 'type') === 'oci';
}

export function timeoutMsOf(repository: StoredObject): number {
  return durationMs(textAt(repository.body, 'spec', 'timeout'), DEFAULT_TIMEOUT_MS);
}

/** The repository with the credential of its Secrets, read anew each time so that it is held nowhere. */
export async function logIn(ctx: SecretsCtx, repository: StoredObject): Promise<ChartLogin> {
  const secrets = await readSecrets(ctx, repository);
  if ('is' in secrets) return secrets;
  const url = textAt(repository.body, 'spec', 'url') ?? '';
  const passCredentials = at(repository.body, 'spec', 'passCredentials') === true;
  return chartLogin({ url, passCredentials, timeoutMs: timeoutMsOf(repository) }, secrets);
}

/** The chart's own repository in the registry, or `invalid` with what is wrong with the address. */
export async function logInToRegistry(
  ctx: SecretsCtx,
  repository: StoredObject,
  chart: string,
): Promise<RegistryLogin | Readonly<{ is: 'invalid'; message: string }>> {
  const base = (textAt(repository.body, 'spec', 'url') ?? '').replace(/\/+$/, '');
  const address = parseOciUrl(`${base}/${chart}`);
  if (typeof address === 'string') return { is: 'invalid', message: `spec.url of the repository with spec.chart ${address}` };
  const secrets = await readSecrets(ctx, repository);
  if ('is' in secrets) return secrets;
  return registryLogin(address, at(repository.body, 'spec', 'insecure') === true, secrets);
}

async function readSecrets(ctx: SecretsCtx, repository: StoredObject): Promise<ChartSecrets | Failed> {
  const secrets: Record<'login' | 'tls', NamedSecret | null> = { login: null, tls: null };
  for (const [use, field] of [
    ['login', 'secretRef'],
    ['tls', 'certSecretRef'],
  ] as const) {
    const name = textAt(repository.body, 'spec', field, 'name');
    if (name === undefined) continue;
    const shown = `${repository.namespace}/${name}`;
    const values = await ctx.secrets.read(repository.namespace, name);
    if (values === null) return { is: 'failed', message: `failed to get secret '${shown}': it does not exist` };
    secrets[use] = { shown, values };
  }
  return secrets;
}
