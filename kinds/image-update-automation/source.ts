import { durationMs } from '#core/duration.ts';
import { loginFrom } from '#core/git-login.ts';
import { parseGitUrl } from '#core/git-values.ts';
import { isObject, type JsonObject, textAt } from '#core/json.ts';
import type { GitRemote, Lookup, Secrets } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { ImageUpdateAutomationSpec } from './schema.ts';
import { unsupportedSource } from './unsupported.ts';

export type Source =
  | Readonly<{ is: 'source'; uid: string; remote: GitRemote; spec: JsonObject; timeoutMs: number }>
  | Readonly<{ is: 'foreign' | 'unavailable' | 'unsupported'; message: string }>;

const DEFAULT_TIMEOUT_MS = 60_000;

/** The GitRepository's remote with its credential, read anew each time. A namespace that is not the tenant's own is answered in one way whether or not it exists. */
export async function findSource(
  { lookup, secrets }: Readonly<{ lookup: Lookup; secrets: Secrets }>,
  automation: StoredObject,
  ref: ImageUpdateAutomationSpec['sourceRef'],
): Promise<Source> {
  const namespace = ref.namespace ?? automation.namespace;
  const shown = `GitRepository ${namespace}/${ref.name}`;
  if (namespace !== automation.namespace && !(await lookup.namespaces()).includes(namespace))
    return {
      is: 'foreign',
      message: `can't access 'GitRepository/${namespace}/${ref.name}': spec.sourceRef.namespace must be a namespace of this tenant`,
    };
  const object = await lookup.get({ kind: 'GitRepository', namespace, name: ref.name });
  if (object === null) return { is: 'unavailable', message: `${shown} not found: create it, or correct spec.sourceRef` };
  const given = object.body['spec'];
  const spec: JsonObject = isObject(given) ? given : {};
  const unsupported = unsupportedSource(spec, shown);
  if (unsupported !== null) return { is: 'unsupported', message: unsupported };
  const url = textAt(spec, 'url') ?? '';
  const problem = parseGitUrl(url);
  if (typeof problem === 'string') return { is: 'unavailable', message: `${shown}: spec.url ${problem}` };
  const secretName = textAt(spec, 'secretRef', 'name');
  const values = secretName === undefined ? null : await secrets.read(namespace, secretName);
  // Without this, a missing Secret would read as no credential.
  if (secretName !== undefined && values === null)
    return { is: 'unavailable', message: `${shown}: failed to get secret '${namespace}/${secretName}': it does not exist` };
  const login = loginFrom({ url }, values === null ? null : { shown: `${namespace}/${secretName ?? ''}`, values });
  if (login.is !== 'remote')
    return { is: login.is === 'unsupported' ? 'unsupported' : 'unavailable', message: `${shown}: ${login.message}` };
  return { is: 'source', uid: object.uid, remote: login.remote, spec, timeoutMs: durationMs(textAt(spec, 'timeout'), DEFAULT_TIMEOUT_MS) };
}
