import { at, isObject, type JsonObject, textAt } from '#core/json.ts';
import { DELIVERY_LABEL } from '#core/object-id.ts';
import type { LiveMeta } from '#core/ports.ts';

/** Media types that leave out everything but metadata: less to send, and the values of Secrets stay where they are. */
export const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
export const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

const maxAnnotations = 256;

/** The metadata of an object, or null when it has none to speak of (no uid, no resourceVersion). Pure. */
export function metaOf(object: JsonObject): LiveMeta | null {
  const uid = textAt(object, 'metadata', 'uid');
  const resourceVersion = textAt(object, 'metadata', 'resourceVersion');
  if (uid === undefined || resourceVersion === undefined || uid === '') return null;
  const generation = at(object, 'metadata', 'generation');
  return Object.freeze({
    uid,
    resourceVersion,
    generation: typeof generation === 'number' ? generation : null,
    deliveryLabel: textAt(object, 'metadata', 'labels', DELIVERY_LABEL) ?? null,
    deleting: textAt(object, 'metadata', 'deletionTimestamp') !== undefined,
    annotations: annotationsOf(object),
  });
}

/** Without kubectl's last-applied text, which repeats the whole object (of a Secret, too). */
function annotationsOf(object: JsonObject): Readonly<Record<string, string>> {
  const annotations = at(object, 'metadata', 'annotations');
  if (!isObject(annotations)) return {};
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(annotations).slice(0, maxAnnotations)) {
    if (typeof value === 'string' && key !== 'kubectl.kubernetes.io/last-applied-configuration') kept[key] = value;
  }
  return kept;
}

/** True when `a` is a later version than `b`. Both come from one API server, where they are integers (KEP-5504); otherwise only equality counts. Pure. */
export function isNewer(a: string, b: string): boolean {
  if (!/^[0-9]{1,20}$/.test(a) || !/^[0-9]{1,20}$/.test(b)) return a !== b;
  return BigInt(a) > BigInt(b);
}
