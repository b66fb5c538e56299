import { at, textAt } from '#core/json.ts';
import type { Ctx } from '#core/kind.ts';
import type { OciAddress } from '#core/oci-values.ts';
import type { OCIRepositoryNeed, OCIRepositoryObj } from './observe.ts';
import { type NamedSecret, type Remote, remoteFrom } from './remote.ts';

type Found = Readonly<{ is: 'found'; secret: NamedSecret }> | Readonly<{ is: 'failed'; message: string }>;
type SecretsCtx = Pick<Ctx<OCIRepositoryNeed>, 'secrets' | 'lookup'>;

/** The repository with the logins and trust of its Secrets, read anew each time so that they are held nowhere. */
export async function openRemote(ctx: SecretsCtx, { definition, spec }: OCIRepositoryObj, address: OciAddress): Promise<Remote> {
  const { namespace } = definition;
  const names = await loginNames(ctx, namespace, spec);
  if (typeof names === 'string') return { is: 'failed', message: names };
  const logins: NamedSecret[] = [];
  for (const { name, field } of names) {
    const login = await namedSecret(ctx, namespace, name, field);
    if (login.is === 'failed') return login;
    logins.push(login.secret);
  }
  if (spec.certSecretRef === undefined) return remoteFrom(address, spec.insecure === true, { logins, tls: null });
  const tls = await namedSecret(ctx, namespace, spec.certSecretRef.name, 'spec.certSecretRef');
  return tls.is === 'failed' ? tls : remoteFrom(address, spec.insecure === true, { logins, tls: tls.secret });
}

/** A Secret of the definition's own namespace, or a message that names the field to correct. */
async function namedSecret(ctx: Pick<SecretsCtx, 'secrets'>, namespace: string, name: string, field: string): Promise<Found> {
  const shown = `${namespace}/${name}`;
  const values = await ctx.secrets.read(namespace, name);
  if (values !== null) return { is: 'found', secret: { shown, values } };
  return { is: 'failed', message: `failed to get secret '${shown}': it does not exist; create it, or correct ${field}` };
}

/** `spec.secretRef`, then the imagePullSecrets of the ServiceAccount, as the kubelet takes them. */
async function loginNames(
  ctx: SecretsCtx,
  namespace: string,
  spec: OCIRepositoryObj['spec'],
): Promise<readonly Readonly<{ name: string; field: string }>[] | string> {
  const own = spec.secretRef === undefined ? [] : [{ name: spec.secretRef.name, field: 'spec.secretRef' }];
  const account = spec.serviceAccountName ?? '';
  if (account === '') return own;
  const found = await ctx.lookup.get({ kind: 'ServiceAccount', namespace, name: account });
  if (found === null)
    return `failed to get service account '${namespace}/${account}': it does not exist; create it, or correct spec.serviceAccountName`;
  const pull = at(found.body, 'imagePullSecrets');
  const names = (Array.isArray(pull) ? pull : []).flatMap((one) => textAt(one, 'name') ?? []);
  return [...own, ...names.map((name) => ({ name, field: `imagePullSecrets of ServiceAccount ${namespace}/${account}` }))];
}
