import { allowsNamespace } from '#core/image/access.ts';
import type { RegistrySpec } from '#core/image/login.ts';
import { type ImageName, parseImageName } from '#core/image/name.ts';
import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import type { Lookup } from '#core/ports.ts';
import type { StoredObject } from '#core/store.ts';
import type { ImagePolicySpec } from './schema.ts';

export type Repository =
  | Readonly<{
      is: 'found';
      object: StoredObject;
      image: string;
      name: ImageName;
      spec: RegistrySpec;
      /** Whether the stored tags are those of this image: it may have been changed since. */
      isScanned: boolean;
    }>
  | Readonly<{ is: 'missing' | 'denied' | 'imageInvalid'; message: string }>;

/**
 * The ImageRepository of a policy, when it may be used from there. A namespace that is not the tenant's own is answered in one way whether or not it exists.
 */
export async function findRepository(
  lookup: Lookup,
  policy: StoredObject,
  ref: ImagePolicySpec['imageRepositoryRef'],
): Promise<Repository> {
  const namespace = ref.namespace ?? policy.namespace;
  const shown = `ImageRepository ${namespace}/${ref.name}`;
  const isForeign = namespace !== policy.namespace;
  if (isForeign && !(await lookup.namespaces()).includes(namespace))
    return {
      is: 'denied',
      message: `access denied to '${namespace}/${ref.name}': spec.imageRepositoryRef.namespace must be a namespace of this tenant`,
    };
  const object = await lookup.get({ kind: 'ImageRepository', namespace, name: ref.name });
  if (object === null)
    return { is: 'missing', message: `referenced ${shown} does not exist: create it, or correct spec.imageRepositoryRef` };
  const spec = specOf(object);
  if (isForeign) {
    const own = await lookup.get({ kind: 'Namespace', namespace: '', name: policy.namespace });
    if (!allowsNamespace(spec, own?.labels ?? {}))
      return {
        is: 'denied',
        message: `access denied to '${namespace}/${ref.name}': its spec.accessFrom does not allow the namespace ${policy.namespace}`,
      };
  }
  const image = textAt(spec, 'image') ?? '';
  const name = parseImageName(image);
  if (typeof name === 'string') return { is: 'imageInvalid', message: `${shown}: '${image.slice(0, 300)}' ${name}` };
  const isScanned = textAt(object.status ?? {}, 'canonicalImageName') === name.canonical;
  return { is: 'found', object, image, name, spec: registrySpec(spec), isScanned };
}

function specOf(object: StoredObject): JsonObject {
  const spec = object.body['spec'];
  return isObject(spec) ? spec : {};
}

function registrySpec(spec: JsonObject): RegistrySpec {
  const secret = textAt(spec, 'secretRef', 'name');
  const cert = textAt(spec, 'certSecretRef', 'name');
  const account = textAt(spec, 'serviceAccountName');
  return {
    ...(secret === undefined ? {} : { secretRef: { name: secret } }),
    ...(cert === undefined ? {} : { certSecretRef: { name: cert } }),
    ...(account === undefined ? {} : { serviceAccountName: account }),
    insecure: at(spec, 'insecure') === true,
  };
}
