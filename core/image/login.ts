import { dockerLogin } from '../docker-config.ts';
import { isObject, textAt } from '../json.ts';
import type { Lookup, Secrets } from '../ports.ts';
import type { RegistryRemote } from '../registry.ts';
import type { ImageName } from './name.ts';

type Ref = Readonly<{ name: string }>;
type Values = Readonly<Record<string, Uint8Array>>;
/** What of an ImageRepository's spec says how its registry is reached. */
export type RegistrySpec = Readonly<{ secretRef?: Ref; certSecretRef?: Ref; serviceAccountName?: string; insecure?: boolean }>;
export type RegistryLogin = Readonly<{ is: 'remote'; remote: RegistryRemote }> | Readonly<{ is: 'failed'; message: string }>;

type Problem = Readonly<{ problem: string }>;
const MAX_PULL_SECRETS = 16;

/**
 * The registry of an image with the credential of `secretRef`, else of the first pull secret of `serviceAccountName` that knows the host, and the TLS material of
 * `certSecretRef` (definitions.md 1.4). Secrets are read anew each time. No message quotes a value.
 */
export async function registryLogin(
  ports: Readonly<{ lookup: Lookup; secrets: Secrets }>,
  namespace: string,
  image: ImageName,
  spec: RegistrySpec,
): Promise<RegistryLogin> {
  const tls = await tlsOf(ports.secrets, namespace, spec.certSecretRef);
  if ('problem' in tls) return failed(tls.problem);
  const credential = await credentialOf(ports, namespace, image.host, spec);
  if ('problem' in credential) return failed(credential.problem);
  const { host, repository } = image;
  return { is: 'remote', remote: { host, repository, insecure: spec.insecure === true, credential, ...tls } };
}

async function credentialOf(
  { lookup, secrets }: Readonly<{ lookup: Lookup; secrets: Secrets }>,
  namespace: string,
  host: string,
  spec: RegistrySpec,
): Promise<RegistryRemote['credential'] | Problem> {
  if (spec.secretRef !== undefined) return dockerCredential(secrets, namespace, spec.secretRef.name, host);
  if (spec.serviceAccountName === undefined || spec.serviceAccountName === '') return { is: 'none' };
  const account = await lookup.get({ kind: 'ServiceAccount', namespace, name: spec.serviceAccountName });
  if (account === null)
    return {
      problem: `ServiceAccount ${namespace}/${spec.serviceAccountName} does not exist: create it, or correct spec.serviceAccountName`,
    };
  const listed = account.body['imagePullSecrets'];
  for (const one of Array.isArray(listed) ? listed.slice(0, MAX_PULL_SECRETS) : []) {
    const name = isObject(one) ? textAt(one, 'name') : undefined;
    if (name === undefined) continue;
    const found = await dockerCredential(secrets, namespace, name, host);
    if ('problem' in found || found.is !== 'none') return found;
  }
  return { is: 'none' };
}

async function dockerCredential(
  secrets: Secrets,
  namespace: string,
  name: string,
  host: string,
): Promise<RegistryRemote['credential'] | Problem> {
  const shown = `${namespace}/${name}`;
  const values = await secrets.read(namespace, name);
  if (values === null) return { problem: `failed to get secret '${shown}': it does not exist` };
  const config = values['.dockerconfigjson'];
  if (config === undefined)
    return { problem: `Secret ${shown} has no key .dockerconfigjson: make it of type kubernetes.io/dockerconfigjson` };
  const login = dockerLogin(new TextDecoder().decode(config), host);
  return login.is === 'credential' ? login.credential : { problem: `Secret ${shown} ${login.message}` };
}

type Tls = Pick<RegistryRemote, 'caPem' | 'clientCertificate'>;

async function tlsOf(secrets: Secrets, namespace: string, ref: Ref | undefined): Promise<Tls | Problem> {
  if (ref === undefined) return { caPem: null, clientCertificate: null };
  const shown = `${namespace}/${ref.name}`;
  const values = await secrets.read(namespace, ref.name);
  if (values === null) return { problem: `failed to get secret '${shown}': it does not exist` };
  const caPem = first(values, ['ca.crt', 'caFile']);
  const certificatePem = first(values, ['tls.crt', 'certFile']);
  const keyPem = first(values, ['tls.key', 'keyFile']);
  if ((certificatePem === '') !== (keyPem === '')) return { problem: `Secret ${shown} needs tls.crt and tls.key together` };
  if (caPem === '' && certificatePem === '') return { problem: `Secret ${shown} has neither ca.crt nor tls.crt with tls.key` };
  if (caPem !== '' && !caPem.includes('-----BEGIN CERTIFICATE-----'))
    return { problem: `Secret ${shown} has no PEM certificate under ca.crt` };
  return { caPem: caPem === '' ? null : caPem, clientCertificate: certificatePem === '' ? null : { certificatePem, keyPem } };
}

function first(values: Values, keys: readonly string[]): string {
  for (const key of keys) {
    const value = values[key];
    if (value !== undefined && value.byteLength > 0) return new TextDecoder().decode(value);
  }
  return '';
}

function failed(problem: string): RegistryLogin {
  return { is: 'failed', message: `failed to configure authentication options: ${problem}` };
}
