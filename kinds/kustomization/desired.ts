import { createHash } from 'node:crypto';
import { AppError } from '#core/errors.ts';
import { refuseOutsideGrant, refusePlatformMetadata } from '#core/grant-check.ts';
import { canonicalJson, textAt } from '#core/json.ts';
import { DELIVERY_LABEL, describeRef, objectId, refOfManifest, splitApiVersion, withMetadata } from '#core/object-id.ts';
import type { ApplyItem, Manifest, ObjectRef } from '#core/ports.ts';

const GROUP = 'kustomize.toolkit.fluxcd.io';

/** One object as it should be on this cluster. */
export type Desired = Readonly<{
  id: string;
  ref: ObjectRef;
  version: string;
  manifest: Manifest;
  /** Of the manifest with our labels, without the fence. */
  digest: string;
  mode: ApplyItem['mode'] | 'Ignore';
  recreate: boolean;
}>;

type Owner = Readonly<{ name: string; namespace: string; deliveryId: string }>;
type Naming = Readonly<{
  definitionNamespace: string;
  granted: readonly string[];
  clusterName: string;
  isNamespaced(apiVersion: string, kind: string): boolean | null;
}>;

/**
 * The rendered objects as they will be sent: namespace filled in (design.md section 7), owner labels and the delivery label set. Throws buildFailed for two objects with
 * one identity and for an object whose namespace cannot be known; the message names it. Pure.
 */
export function desiredObjects(
  rendered: readonly Manifest[],
  owner: Owner,
  naming: Naming,
  spec: Readonly<{ force: boolean }>,
): readonly Desired[] {
  const labels = { [`${GROUP}/name`]: owner.name, [`${GROUP}/namespace`]: owner.namespace, [DELIVERY_LABEL]: owner.deliveryId };
  const seen = new Map<string, Desired>();
  for (const manifest of rendered) {
    const ref = placed(manifest, naming);
    refuseOutsideGrant(ref, naming);
    refusePlatformMetadata(manifest, ref, naming);
    const id = objectId(ref);
    if (seen.has(id)) throw new AppError('buildFailed', `${describeRef(ref)} is there twice: rename one of the two`);
    const complete = withMetadata(manifest, { labels, ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) });
    seen.set(id, {
      id,
      ref,
      version: splitApiVersion(ref.apiVersion).version,
      manifest: complete,
      digest: createHash('sha256').update(canonicalJson(complete)).digest('hex'),
      mode: modeOf(manifest),
      recreate: spec.force || keyOf(manifest, 'force') === 'enabled',
    });
  }
  return [...seen.values()];
}

function placed(manifest: Manifest, naming: Naming): ObjectRef {
  const ref = refOfManifest(manifest);
  if (ref === null) throw new AppError('buildFailed', 'an object without apiVersion, kind or metadata.name was rendered');
  const namespaced = naming.isNamespaced(ref.apiVersion, ref.kind);
  if (namespaced === false) return { ...ref, namespace: '' };
  if (namespaced === null && ref.namespace === '') return ref;
  if (ref.namespace !== '') return ref;
  if (naming.granted.includes(naming.definitionNamespace) || naming.granted.length === 0)
    return { ...ref, namespace: naming.definitionNamespace };
  const [only] = naming.granted;
  if (only !== undefined && naming.granted.length === 1) return { ...ref, namespace: only };
  throw new AppError(
    'buildFailed',
    `${describeRef(ref)} names no namespace: set metadata.namespace, or spec.targetNamespace to one of ${naming.granted.join(', ')}`,
  );
}

function modeOf(manifest: Manifest): Desired['mode'] {
  switch (keyOf(manifest, 'ssa')) {
    case 'merge':
      return 'Merge';
    case 'ifnotpresent':
      return 'IfNotPresent';
    case 'ignore':
      return 'Ignore';
    default:
      return 'Override';
  }
}

/** Value of a per-object key, from annotation or label, compared without regard to case (definitions.md 1.5). */
export function keyOf(manifest: Manifest, key: string): string | undefined {
  const name = `${GROUP}/${key}`;
  return (textAt(manifest, 'metadata', 'annotations', name) ?? textAt(manifest, 'metadata', 'labels', name))?.toLowerCase();
}

/** The same for the annotations of a live object. */
export function liveKey(annotations: Readonly<Record<string, string>>, key: string): string | undefined {
  return annotations[`${GROUP}/${key}`]?.toLowerCase();
}
